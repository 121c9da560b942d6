// A WebSocket over a stream of an HTTP/2 connection (RFC 8441) with the face of a browser's, on
// Node's own http2: npm `phoenix` takes it as its transport. Sockets of one origin share a connection.
import http2 from "node:http2";
import { randomBytes } from "node:crypto";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const connections = new Map();

/// The connection to an origin, once its server has said that it can do this.
export async function connection(origin) {
  let session = connections.get(origin);
  if (!session || session.closed || session.destroyed) {
    session = http2.connect(origin);
    session.on("error", () => {});
    session.settled = new Promise((resolve, reject) => {
      session.once("remoteSettings", resolve);
      session.once("close", () => reject(new Error("the connection was closed")));
    });
    session.settled.catch(() => {});
    connections.set(origin, session);
  }
  const settings = await session.settled;
  if (!settings.enableConnectProtocol) throw new Error("the server does not offer WebSockets over HTTP/2");
  return session;
}

/// The fields of an extended CONNECT.
export function handshake(path, more = {}) {
  return { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": path, "sec-websocket-version": "13", ...more };
}

/// What ends each compressed message, and does not travel (RFC 7692). Neither side remembers earlier messages here.
const tail = Buffer.from([0, 0, 0xff, 0xff]);
const deflate = (payload) => deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -tail.length);
const inflate = (payload) => inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: constants.Z_SYNC_FLUSH });

function frame(opcode, payload, compressed = false) {
  const size = payload.length;
  const head = size < 126 ? Buffer.alloc(2) : size < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x80 | opcode | (compressed ? 0x40 : 0);
  head[1] = 0x80 | (size < 126 ? size : size < 65536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(size, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(size), 2);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4])]);
}

/// The first whole frame of what a server sent, which neither masks nor splits; null: there is none yet.
function readFrame(bytes) {
  if (bytes.length < 2) return null;
  let size = bytes[1] & 0x7f;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 4) return null;
    size = bytes.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (bytes.length < 10) return null;
    size = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + size) return null;
  const compressed = (bytes[0] & 0x40) !== 0;
  const payload = bytes.subarray(at, at + size);
  return { opcode: bytes[0] & 0x0f, compressed, payload: compressed ? inflate(payload) : payload, rest: bytes.subarray(at + size) };
}

export class Http2WebSocket {
  readyState = 0;
  inflated = 0; // messages that came compressed
  bufferedAmount = 0;
  binaryType = "arraybuffer";
  onopen = () => {};
  onerror = () => {};
  onmessage = () => {};
  onclose = () => {};

  constructor(url, protocols = [], fields = {}) {
    this.received = Buffer.alloc(0);
    this.closing = { code: 1006, reason: "" };
    this.open(new URL(url), [protocols].flat(), fields).catch((error) => {
      this.onerror({ error });
      this.ended();
    });
  }

  async open(url, protocols, more) {
    const session = await connection(`http://${url.host}`);
    const fields = protocols.length > 0 ? { "sec-websocket-protocol": protocols.join(", "), ...more } : more;
    this.stream = session.request(handshake(url.pathname + url.search, fields));
    this.stream.on("error", (error) => this.onerror({ error }));
    this.stream.on("close", () => this.ended());
    this.stream.on("response", (headers) => {
      this.headers = headers;
      if (headers[":status"] !== 200) {
        this.onerror({ error: new Error(`status ${headers[":status"]}`) });
        this.stream.close();
        return;
      }
      this.protocol = headers["sec-websocket-protocol"] ?? "";
      this.readyState = 1;
      this.onopen({});
    });
    this.stream.on("data", (data) => {
      if (this.readyState > 0) this.receive(data);
    });
    this.stream.on("end", () => this.stream.end());
  }

  receive(data) {
    this.received = Buffer.concat([this.received, data]);
    for (let next = readFrame(this.received); next; next = readFrame(this.received)) {
      this.received = next.rest;
      const { opcode, payload, compressed } = next;
      if (compressed) this.inflated += 1;
      if (opcode === opcodes.text) this.onmessage({ data: payload.toString() });
      if (opcode === opcodes.binary) this.onmessage({ data: new Uint8Array(payload).buffer });
      if (opcode === opcodes.ping) this.stream.write(frame(opcodes.pong, payload));
      if (opcode !== opcodes.close) continue;
      this.closing = { code: payload.length > 1 ? payload.readUInt16BE(0) : 1005, reason: payload.subarray(2).toString() };
      if (this.readyState < 2) this.stream.write(frame(opcodes.close, payload.subarray(0, 2)));
      this.readyState = 2;
    }
  }

  send(data) {
    if (this.readyState !== 1) throw new Error("the socket is not open");
    const text = typeof data === "string";
    const compressed = "sec-websocket-extensions" in this.headers;
    const payload = Buffer.from(data);
    this.stream.write(frame(text ? opcodes.text : opcodes.binary, compressed ? deflate(payload) : payload, compressed));
  }

  close(code = 1000, reason = "") {
    if (this.readyState === 1) {
      const head = Buffer.alloc(2);
      head.writeUInt16BE(code);
      this.stream.write(frame(opcodes.close, Buffer.concat([head, Buffer.from(reason)])));
    }
    this.readyState = Math.max(this.readyState, 2);
  }

  ended() {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose(this.closing);
  }
}
