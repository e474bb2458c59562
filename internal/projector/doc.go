// Package projector carries the event log into what is read: the read models ([Runner]) and the feed ([Feed]).
//
// What it guarantees:
//
//  1. Both take every commit in the order of the log and begin again, after a crash at any line, where they had stopped.
//     The read models keep their checkpoint in the transaction that writes the rows. The feed's checkpoint is the feed
//     itself: each message names the event it carries.
//  2. The feed holds each event once. A message is only taken directly after the last one its writer has seen, so a second
//     writer, or an acknowledgement that was lost, cannot put a message in twice or out of order.
//  3. Errors heal: both try again, with growing pauses, until they are stopped. What cannot be read is not skipped.
package projector
