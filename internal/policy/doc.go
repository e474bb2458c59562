// Package policy finds out what policies say about a deployment request.
//
// What it guarantees:
//
//  1. A policy that governs the app and whose window and condition hold has its verdict; any other has none.
//  2. A condition that cannot be evaluated denies, with the text of what went wrong: nobody gets around a policy by a request
//     that it does not understand. One that names a field which no request has is refused when it is written.
//  3. What a policy sees is a value: the same request and policies give the same verdicts, and what was seen is kept, bounded.
//  4. What is held says until when, and at that time no window of the policies that hold it does so any more. What would be held
//     for ever is denied.
//  5. A request that is about to begin is judged again by the policies that say when, and by no other: by what was kept of it, with
//     another now. What a policy cannot evaluate then holds as long as its window does.
//  6. Evaluation is bounded: a condition by its cost, a window by what its rule may say.
package policy
