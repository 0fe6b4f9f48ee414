// lmtp.mjs - a small LMTP client (RFC 2033): one connection, one mail after another, the reply of each.
import net from 'node:net';

// An async reader of whole replies ("250-a", "250 b") from a socket.
function replies(socket) {
  let text = '';
  let wake = () => {};
  let ended;
  socket.setEncoding('utf8');
  socket.on('data', (piece) => {
    text += piece;
    wake();
  });
  socket.on('error', (error) => {
    ended = error;
    wake();
  });
  socket.on('close', () => {
    ended ??= new Error('LMTP connection closed');
    wake();
  });
  return async () => {
    for (;;) {
      const found = /^(?:\d{3}-[^\n]*\n)*(\d{3}) [^\n]*\n/.exec(text);
      if (found) {
        text = text.slice(found[0].length);
        return found[0].trimEnd();
      }
      if (ended) throw ended;
      await new Promise((resolve) => (wake = resolve));
    }
  };
}

// Deliver mails (strings or buffers, any line ends) to recipient; the final reply of each, in order.
export async function deliver(port, mails, { host = '127.0.0.1', recipient = 'dmarc-sum@example.net' } = {}) {
  const socket = net.connect({ host, port });
  const reply = replies(socket);
  const say = async (line, expected) => {
    socket.write(line + '\r\n');
    const answer = await reply();
    if (!answer.startsWith(expected)) throw new Error(`"${line.slice(0, 60)}" was answered "${answer}"`);
  };
  const answers = [];
  try {
    await reply();
    await say('LHLO client.example.net', '2');
    for (const mail of mails) {
      await say('MAIL FROM:<noreply@reporter.example>', '2');
      await say(`RCPT TO:<${recipient}>`, '2');
      await say('DATA', '354');
      socket.write(String(mail).replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..') + '\r\n.\r\n');
      answers.push(await reply());
    }
    await say('QUIT', '2');
  } finally {
    socket.destroy();
  }
  return answers;
}
