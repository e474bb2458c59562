// Package group is the rule book of groups: several deployments that are asked for, seen and steered as one. Each member is a
// deployment like any other, with a strategy and approvals of its own; the group adds an order between them and the
// directives that are for all (docs/adr/0021).
//
// Invariants, each with a law in laws_test.go:
//
//  1. The status of a group is a pure function of its members' and of the last directive that steers it ([Status]). It is
//     FINALIZED, CANCELED, FAILED or CREATING_APPROVAL_DENIED if and only if every member has ended.
//  2. No member begins before every member of the earlier waves is deployed, which says that it was healthy. If one of them ends
//     otherwise, those that have not begun never do, and say why.
//  3. A member that has ended, and a group that has, changes no more.
//  4. From what is recorded alone follows what is still to be done ([Due]): whoever is killed on the way, the next one does it.
//  5. The same command decides nothing the second time.
//
// What a member does is not kept here but seen in its app ([See]); events record when it began and how it ended.
package group
