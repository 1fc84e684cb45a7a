import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** What an editor shows below a wavy line. Lines count from 1. */
export interface Diagnostic {
  line: number;
  message: string;
}

export interface Completion {
  label: string;
  /** As text, whatever the server's format. */
  documentation: string;
}

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

interface Place {
  line: number;
  character: number;
}

/** yaml-language-server as a child process, spoken to as an editor does: the language server protocol on its pipes. */
export class LanguageServer {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly answers = new Map<number, (message: Message) => void>();
  private readonly diagnostics = new Map<string, (list: Diagnostic[]) => void>();
  private received = Buffer.alloc(0);
  private next = 1;

  private constructor() {
    const require = createRequire(import.meta.url);
    const folder = dirname(require.resolve("yaml-language-server/package.json"));
    this.child = spawn(process.execPath, [join(folder, "bin/yaml-language-server"), "--stdio"]);
    this.child.stdout.on("data", (data: Buffer) => this.take(data));
  }

  static async start(): Promise<LanguageServer> {
    const server = new LanguageServer();
    const textDocument = {
      completion: { completionItem: { documentationFormat: ["markdown"], snippetSupport: true } },
      hover: { contentFormat: ["markdown"] },
      publishDiagnostics: {},
    };
    await server.request("initialize", {
      processId: process.pid,
      rootUri: null,
      capabilities: { textDocument, workspace: { configuration: true } },
    });
    server.send({ method: "initialized", params: {} });
    return server;
  }

  /** Opens a text under a file's name and waits for what the server says of it. */
  open(path: string, text: string): Promise<Diagnostic[]> {
    const uri = pathToFileURL(path).href;
    const told = new Promise<Diagnostic[]>((resolve) => this.diagnostics.set(uri, resolve));
    const textDocument = { uri, languageId: "yaml", version: 1, text };
    this.send({ method: "textDocument/didOpen", params: { textDocument } });
    return told;
  }

  /** What is offered at a place of an open file; lines and columns count from 0, as in the protocol. */
  async complete(path: string, position: Place): Promise<Completion[]> {
    const textDocument = { uri: pathToFileURL(path).href };
    const result = (await this.request("textDocument/completion", { textDocument, position })) as {
      items: { label: string; documentation?: string | { value: string } }[];
    };
    return result.items.map(({ label, documentation = "" }) => ({
      label,
      documentation: typeof documentation === "string" ? documentation : documentation.value,
    }));
  }

  /** What is shown beside the pointer. */
  async hover(path: string, position: Place): Promise<string> {
    const textDocument = { uri: pathToFileURL(path).href };
    const result = (await this.request("textDocument/hover", { textDocument, position })) as {
      contents: { value: string };
    } | null;
    return result?.contents.value ?? "";
  }

  async stop(): Promise<void> {
    await this.request("shutdown", undefined);
    const ended = new Promise((resolve) => this.child.on("exit", resolve));
    this.send({ method: "exit" });
    await ended;
  }

  private request(method: string, params: unknown): Promise<unknown> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.answers.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`)),
      );
      this.send({ id, method, params });
    });
  }

  private send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  private take(data: Buffer): void {
    this.received = Buffer.concat([this.received, data]);
    for (;;) {
      const head = this.received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.received.toString("ascii", 0, head))![1]);
      if (this.received.length < head + 4 + length) return;
      const body = this.received.toString("utf8", head + 4, head + 4 + length);
      this.received = this.received.subarray(head + 4 + length);
      this.handle(JSON.parse(body) as Message);
    }
  }

  private handle(message: Message): void {
    const { id, method, params } = message;
    if (method === undefined) this.answers.get(id!)?.(message);
    else if (method === "textDocument/publishDiagnostics") this.tell(params as PublishedDiagnostics);
    else if (method === "workspace/configuration") {
      const { items } = params as { items: { section: string }[] };
      this.send({ id: id!, result: items.map(({ section }) => settings[section] ?? {}) });
    } else if (id !== undefined) this.send({ id, result: null });
  }

  private tell({ uri, diagnostics }: PublishedDiagnostics): void {
    const list = diagnostics.map(({ range, message }) => ({ line: range.start.line + 1, message }));
    this.diagnostics.get(uri)?.(list.sort((a, b) => a.line - b.line));
  }
}

interface PublishedDiagnostics {
  uri: string;
  diagnostics: { message: string; range: { start: Place } }[];
}

/** Nothing from the network: the schemas are files. */
const settings: Record<string, object> = {
  yaml: { schemaStore: { enable: false }, kubernetesCRDStore: { enable: false } },
};
