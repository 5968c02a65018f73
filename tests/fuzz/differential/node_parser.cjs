// Parses requests with the parser of Node.js itself, llhttp, as strict as Node.js has it by default.
//
// Reads batches from standard input: a count in four bytes, then for each input its length in four bytes and its bytes.
// For each batch it writes a line of JSON: for each input the requests that were found, and the error that ended it.
"use strict";

const { HTTPParser } = process.binding("http_parser");

const ON_HEADERS = HTTPParser.kOnHeaders | 0;
const ON_HEADERS_COMPLETE = HTTPParser.kOnHeadersComplete | 0;
const ON_BODY = HTTPParser.kOnBody | 0;
const ON_MESSAGE_COMPLETE = HTTPParser.kOnMessageComplete | 0;

function parse(bytes) {
  const requests = [];
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  let headers = [];
  let url = "";
  parser[ON_HEADERS] = (more, rest) => {
    headers.push(...more);
    url += rest;
  };
  parser[ON_HEADERS_COMPLETE] = (major, minor, more, method, target, _status, _message, _upgrade, isKept) => {
    requests.push({
      method: HTTPParser.methods ? HTTPParser.methods[method] : method,
      target: target === undefined ? url : target,
      version: `${major}.${minor}`,
      headers: more === undefined ? headers : more,
      isKept,
      body: "",
      isWhole: false,
    });
    headers = [];
    url = "";
    return 0;
  };
  parser[ON_BODY] = (chunk, offset, length) => {
    const part = offset === undefined ? chunk : chunk.subarray(offset, offset + length);
    requests.at(-1).body += Buffer.from(part).toString("latin1");
  };
  parser[ON_MESSAGE_COMPLETE] = () => {
    requests.at(-1).isWhole = true;
  };
  const result = parser.execute(bytes);
  const error = result instanceof Error ? result.code || result.message : null;
  parser.close();
  return { requests, error };
}

const { methods } = process.binding("http_parser");

function answer(batch) {
  const count = batch.readUInt32BE(0);
  const results = [];
  for (let at = 4, index = 0; index < count; index++) {
    const length = batch.readUInt32BE(at);
    results.push(parse(batch.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  for (const { requests } of results) {
    for (const request of requests) {
      if (typeof request.method === "number") request.method = methods[request.method];
    }
  }
  process.stdout.write(`${JSON.stringify(results)}\n`);
}

let pending = Buffer.alloc(0);
process.stdin.on("data", (chunk) => {
  pending = Buffer.concat([pending, chunk]);
  while (pending.length >= 4) {
    const size = pending.readUInt32BE(0);
    if (pending.length < 4 + size) return;
    answer(pending.subarray(4, 4 + size));
    pending = pending.subarray(4 + size);
  }
});
