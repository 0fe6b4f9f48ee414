"""How the benches count and print: rounds, and the line of one tool's times."""
import os
import statistics

ROUNDS = int(os.environ.get("RUAD_BENCH_ROUNDS", "3"))


def show(what, seconds, amount, unit):
    """One line: least and median time, and the speed at the median; returns that speed."""
    median = statistics.median(seconds)
    print(f"  {what:<22} min {min(seconds):.3f} s, median {median:.3f} s, {amount / median:,.0f} {unit}/s", flush=True)
    return amount / median
