// Package watch shows people, over the public HTTP API, how rollouts stand: how much of them serves, what each waits for, and
// what to type where it waits for a person; of a group, each of its members.
//
// What it guarantees:
//
//  1. What is shown stands in the read models; nothing is guessed from what went before. It costs two small requests whenever
//     something has happened, at most ten times a second, and memory for one moment only.
//  2. A cut of the connection is healed from where it was; while the API is away that is said, with until when it is tried.
//  3. Who waits says for what, and until when where that is known.
//  4. Texts of other people reach the terminal without control characters. Where there is no terminal, no control codes are
//     written at all.
package watch
