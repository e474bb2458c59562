// Package access says what a command needs to be allowed, and whether a caller is. HTTP and the NATS doors ask it before they
// carry a command out, so the same roles open the same things through each (docs/adr/0012).
//
// What it guarantees:
//
//  1. Closed by default. A command that nothing is written of here is refused to everybody, and a test fails.
//  2. What a caller may not know of is answered exactly as if it did not exist: with the words of the handler for an unknown id.
//  3. What does not exist is refused here too, but to those who may do the thing everywhere. So nobody gets at what comes into
//     being between the question and the deed.
//  4. A thing is looked for in read models that have caught up with every command already acknowledged.
//
// What it does not guarantee: that a role which is taken away stops a command that was asked for before. It stops the next one.
package access
