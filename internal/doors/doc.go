// Package doors lets commands in over NATS. There are two doors to the one handler of internal/commands, and HTTP is the
// third, so a command means the same through each.
//
// Request and reply: a NATS micro service named "slipway" with one endpoint per command of the catalogue, on
// rpc.<aggregate>.<verb>, which arrives as rpc.by.<caller>.<aggregate>.<verb>. The answer is the resource in JSON, or an
// error: its HTTP status in Nats-Service-Error-Code, its text in Nats-Service-Error, and Cloud Foundry's error body. Questions,
// such as policy.evaluate, have their endpoints there too; they write nothing, and no other door takes them.
//
// Durable: the work-queue stream COMMANDS takes commands.<aggregate>.<verb>, as commands.by.<caller>.<aggregate>.<verb>, while
// no handler is up too; one command after the other is carried out when one is.
// What is published to signals.<app guid> comes through this door too, as the command app.signal about that app: so a program
// that watches apps needs to know one subject and a few fields of JSON.
//
// The header Nats-Msg-Id is the command's id on both. Without it the first door makes a new one; the second derives one
// from where the message stands in the stream, so that a message delivered twice is still one command.
//
// What they guarantee:
//
//  1. The same command id, through any door and however often, does the thing once.
//  2. A command that COMMANDS has acknowledged is carried out or refused on record, whatever crashes meanwhile. Who cannot
//     be served for the moment is tried again, for as long as it takes.
//  3. A refusal through the durable door stands in the log, on events.command.<command id>, before its message goes. The
//     same id afterwards through this door is the same refused command: it is not tried again.
//  4. What is no command at all (a subject that names none, an id that can be none, a body that is no JSON object), and what
//     the handler fails on again and again without a reason it knows, is kept as it came in the stream DEADLETTER, on
//     deadletter.<its subject>, with the reason in its headers. Its refusal is recorded as well.
//  5. The durable door carries out commands in the order of the stream, one at a time over all processes. A command that
//     has to be tried again keeps its place.
//  6. A request is answered within [RequestDeadline] of its turn. At shutdown what runs is finished and answered, and what
//     waits is answered with 503.
//  7. No command is carried out of somebody unknown or without the right to it. Who asks is known by the login of the
//     connection, which the server puts into the subject where no client can (see internal/natsboot), or by a token in the
//     header Authorization, good at the moment when the message came. What they may do is as of the moment when it is
//     carried out. The answer and the record are those of HTTP (401, 403, 404), and history names the caller. A token is
//     never copied to where something is kept; one that came with a command stands in COMMANDS as long as that waits.
//
// On order: what one sender sends often builds on what it sent before (create, assign, deploy), and a command does not say
// by itself which app it will turn out to be about; so lanes would need a look-up in a read model that has not seen the
// command before it. One at a time costs throughput that this door does not need, and keeps a script's meaning.
//
// What they do not guarantee: that a command which changed nothing (start an app that runs) is not decided again when
// its message is delivered again; that a command refused through one door is refused through another too.
package doors
