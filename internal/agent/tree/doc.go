// Package tree unpacks droplets into directories. A droplet comes from a user, so nothing in it is trusted.
//
// What it guarantees:
//
//  1. Nothing is written or linked outside of the target directory: all access goes through os.Root, and every symbolic link
//     of the finished tree leads to something inside it.
//  2. Only directories, regular files and links appear; no devices, pipes or sockets, no set-uid or sticky bits.
//  3. What is unpacked is bounded in bytes, files, depth and length of names, whatever the archive's headers say.
//  4. A droplet's directory in a [Cache] is whole or not there: it is unpacked beside its place and renamed into it.
//  5. However many ask for a droplet at once, it is fetched and unpacked once, also where who asked first gives up.
//  6. Nobody waits for what another one has given up, however long its end takes.
package tree
