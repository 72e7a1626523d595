// Managed by petasos.
// Encrypted Client Hello (RFC 9849) puts a second name into the first message of TLS, which nobody
// on the way can read: such a message goes nowhere. Whether the rest of it may go anywhere is asked
// afterwards, by the name that can be read.

const HANDSHAKE = 22, CLIENT_HELLO = 1;

// The extension as it is, its drafts, and its predecessor, whose names were encrypted as well.
function hides(type) {
	return (type >= 0xfe08 && type <= 0xfe0d) || (type >= 0xff02 && type <= 0xff03) || type === 0xffce;
}

// What the records of `data` hold of the first message: its bytes, or nothing where it is none of
// TLS's. It may come in any number of records.
function message(data) {
	const parts = [];
	let at = 0;
	while (at + 5 <= data.length) {
		if (data[at] !== HANDSHAKE) {
			return null;
		}
		const end = at + 5 + data.readUInt16BE(at + 3);
		parts.push(data.subarray(at + 5, Math.min(end, data.length)));
		at = end;
	}
	return Buffer.concat(parts);
}

// True or false once the message is there, undefined before.
function hidden(hello) {
	if (hello.length < 4) {
		return undefined;
	}
	if (hello[0] !== CLIENT_HELLO) {
		return true;
	}
	const end = 4 + hello.readUIntBE(1, 3);
	if (hello.length < end) {
		return undefined;
	}
	// Version and random bytes; then the session's id, the ciphers and the compressions, each with
	// its length before it.
	let at = 4 + 2 + 32;
	at += 1 + hello[at];
	at += 2 + (at + 2 <= end ? hello.readUInt16BE(at) : end);
	at += 1 + hello[at];
	at += 2;
	while (at + 4 <= end) {
		if (hides(hello.readUInt16BE(at))) {
			return true;
		}
		at += 4 + hello.readUInt16BE(at + 2);
	}
	// What does not end with its last extension is not understood.
	return at !== end;
}

function first(s) {
	s.on('upstream', function (data, flags) {
		const hello = data.length > 0 ? message(data) : Buffer.alloc(0);
		const found = hello === null ? true : hidden(hello);
		if (found === undefined && !flags.last) {
			return;
		}
		s.off('upstream');
		if (found === false) {
			s.decline();
		} else {
			s.deny();
		}
	});
}

export default { first };
