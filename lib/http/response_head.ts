/**
 * The head of a response.
 *
 * @module
 */

/** What each status is called. */
const PHRASES: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  200: "OK",
  201: "Created",
  204: "No Content",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  417: "Expectation Failed",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
};

/**
 * Names a status.
 *
 * @param status The status
 * @returns What it is called
 */
export function phraseOf(status: number): string {
  return PHRASES[status] ?? "Unknown";
}

/**
 * Writes the head of a response.
 *
 * @param status Its status
 * @param headers Its headers, each with its line end
 * @returns The head
 */
export function formatHead(status: number, headers: string): string {
  return `HTTP/1.1 ${status} ${phraseOf(status)}\r\n${headers}\r\n`;
}
