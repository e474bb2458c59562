// Package exec is a driver that runs instances as processes of this host: "/bin/sh -c <command>" in a copy of the droplet's
// files, in a process group of their own. It needs Linux: it relies on /proc and on process file descriptors.
//
// It isolates nothing. Instances run as the agent's user, see its files and network, and may take all memory and CPU;
// memory and disk limits are told to them and not enforced. Run only what you trust.
//
// What it guarantees:
//
//  1. When an instance has ended, everything it started has ended: its process group, and what left the group but still
//     carries the marks of the instance in its environment. (What leaves the group and drops its environment escapes.)
//  2. A signal goes only to processes of the instance, never to one that was given a recycled id.
//  3. Before a process is started its record is on disk, and it carries its marks from its first instruction. So an
//     agent that is killed at any line leaves nothing that [Driver.Recover] does not find.
//  4. An instance sees the agent's PATH and nothing else of the agent's environment.
//  5. Its output goes to a file, so that it outlives the agent; the file is bounded to about [maxLog] bytes.
//
// Ports are chosen below every other use on this host, but between choosing and the app's own bind somebody may take one;
// the instance then fails to bind, crashes and is started again with another.
package exec
