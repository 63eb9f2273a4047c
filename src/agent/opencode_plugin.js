// Tells the ganger session that opencode runs in what opencode does: its events, one JSON-RPC notification a line, over
// the session's hook socket. It waits for nothing and never throws; without a session around it does nothing.
import { openSync } from "node:fs"
import { connect } from "node:net"

const STRING_MAX = 16384
const MESSAGE_MAX = 1024 * 1024
const WAITING_MAX = 4 * 1024 * 1024
const RETRY_MIN = 250
const RETRY_MAX = 5000

function pick(object, names) {
  const out = {}
  for (const name of names) if (object?.[name] !== undefined) out[name] = object[name]
  return out
}

const sessionFields = ["id", "parentID", "title", "version", "agent", "model", "cost", "tokens"]
const messageFields = ["id", "sessionID", "parentID", "role", "modelID", "providerID", "model", "tokens", "cost", "error", "finish"]
const partFields = ["id", "sessionID", "messageID", "type", "text", "synthetic", "ignored", "time", "tool", "callID", "state", "tokens"]
const info = (fields) => (properties) => ({ ...properties, info: pick(properties.info, fields) })
const whole = (properties) => properties

// What is sent of each type of event; other types are not.
const kinds = {
  "session.created": info(sessionFields),
  "session.updated": info(sessionFields),
  "session.deleted": info(sessionFields),
  "session.status": whole,
  "session.idle": whole,
  "session.error": whole,
  "session.compacted": whole,
  "message.updated": info(messageFields),
  "message.part.updated": (properties) => ({ part: pick(properties.part, partFields), delta: properties.delta }),
  "message.part.delta": whole,
  "permission.asked": whole,
  "permission.updated": whole,
  "permission.replied": whole,
  "question.asked": whole,
  "question.replied": whole,
  "question.rejected": whole,
  "todo.updated": whole,
  "file.edited": whole,
}

// JSON that any reader takes: no NUL, no half of a surrogate pair, no endless string.
function plain(key, value) {
  if (typeof value !== "string") return value
  let text = value.length > STRING_MAX ? value.slice(0, STRING_MAX - 1) + "…" : value
  if (text.includes("\0")) text = text.replaceAll("\0", "\uFFFD")
  return text.toWellFormed ? text.toWellFormed() : text
}

// One connection, opened when there is something to say and again when it was lost; what a reader must know by then
// goes first.
function line(path, known) {
  let socket, open = false, timer, wait = RETRY_MIN, waiting = [], waitingSize = 0

  function lost() {
    if (!socket) return
    socket = undefined
    open = false
    waiting = known()
    waitingSize = 0
    timer ??= setTimeout(() => { timer = undefined; begin() }, wait)
    timer.unref?.()
    wait = Math.min(wait * 2, RETRY_MAX)
  }

  function begin() {
    try {
      const mine = connect({ path })
      socket = mine
      mine.unref?.()
      mine.on("connect", () => {
        if (mine !== socket) return
        open = true
        wait = RETRY_MIN
        for (const text of waiting) mine.write(text)
        waiting = []
        waitingSize = 0
      })
      mine.on("data", () => {})
      mine.on("error", () => { if (mine === socket) lost() })
      mine.on("close", () => { if (mine === socket) lost() })
    } catch {
      socket = socket ?? {}
      lost()
    }
  }

  return (text) => {
    if (text.length * 3 > MESSAGE_MAX && Buffer.byteLength(text) > MESSAGE_MAX) return
    if (open) {
      if ((socket.writableLength ?? 0) < WAITING_MAX) socket.write(text)
      return
    }
    if (waitingSize + text.length > WAITING_MAX) return
    waiting.push(text)
    waitingSize += text.length
    if (!socket && timer === undefined) begin()
  }
}

function socketPath(folder, session) {
  const path = `${folder}/${session}.hook`
  if (Buffer.byteLength(path) < 100) return path
  // Longer than a socket's address may be.
  return `/proc/self/fd/${openSync(folder, "r")}/${session}.hook`
}

// What a reader that comes late must know: the state of each session, and what is still asked.
function memory() {
  const states = new Map(), asked = new Map()

  return {
    keep(event) {
      const properties = event.properties ?? {}
      if (event.type === "session.status" && properties.status?.type !== "idle") states.set(properties.sessionID, event)
      if (event.type === "session.idle" || properties.status?.type === "idle") states.delete(properties.sessionID)
      if (/^(permission|question)\.(asked|updated)$/.test(event.type) && asked.size < 64) asked.set(properties.id, event)
      if (/^(permission|question)\.(replied|rejected)$/.test(event.type)) asked.delete(properties.requestID ?? properties.permissionID)
    },
    events: () => [...states.values(), ...asked.values()],
  }
}

export const Ganger = async () => {
  const { GANGER_TOKEN: token, GANGER_RUNTIME_DIR: folder, GANGER_SESSION: session } = process.env
  if (!token || !folder || !session) return {}

  const format = (payload) =>
    JSON.stringify({ jsonrpc: "2.0", method: "hook", params: { token, agent: "opencode", payload } }, plain) + "\n"
  const known = memory()
  const models = new Map(), calls = new Map()
  let send
  try {
    // A connection that says nothing at first is not kept.
    send = line(socketPath(folder, session), () => [{ type: "ganger.again" }, ...known.events()].map(format))
  } catch {
    return {}
  }

  // A running tool repeats itself with each piece of its output.
  function repeats(part) {
    if (part?.type !== "tool") return false
    if (calls.size > 256) calls.clear()
    const status = part.state?.status
    if (calls.get(part.callID) === status) return true
    if (status === "completed" || status === "error") calls.delete(part.callID)
    else calls.set(part.callID, status)
    return false
  }

  return {
    event: async ({ event }) => {
      try {
        const shape = kinds[event?.type]
        if (!shape || (event.type === "message.part.updated" && repeats(event.properties?.part))) return
        const told = { type: event.type, properties: shape(event.properties ?? {}) }
        send(format(told))
        known.keep(told)
      } catch {}
    },
    "chat.params": async (input) => {
      try {
        const model = input.model
        const key = `${input.sessionID} ${model.providerID}/${model.id}`
        if (models.get(input.sessionID) === key) return
        models.set(input.sessionID, key)
        send(format({
          type: "ganger.model",
          properties: { sessionID: input.sessionID, providerID: model.providerID, modelID: model.id, context: model.limit?.context },
        }))
      } catch {}
    },
  }
}
