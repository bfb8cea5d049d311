// Package dispense reads the export files of dispensing systems, dropped into a
// folder, appended to all day, or rewritten whole: CSV and its relatives, lines
// of fixed width, DBF tables, XML, HL7 messages and ASAP segments.
//
// # Words
//
//   - An adapter watches one folder for one kind of file, as one entry of the
//     configuration says ([Export]).
//   - A mapping says which column is which field of a movement. All other
//     columns are skipped as bytes: they are never decoded, stored, logged or
//     sent, as they can be about patients. For the same reason a line whose
//     columns cannot be told apart is reported by file and number only.
//     Each mapped column has a shape, and what has another is not kept either; a
//     file is told by its name only where that says nothing of anybody.
//   - A format tells the rows of a file apart, and the columns of each: the
//     type rows, with a file for each format. What the columns mean, what was
//     there before, and how it is recorded, is the same for all.
//   - The natural key of a row is made of the columns that the configuration
//     names. It makes a row the same event however often it is read again.
//   - A checkpoint says how far a file was read, with a hash over everything
//     before: a file that was only appended to is read on from there, under
//     whatever name, and any other is read from its start, where the natural
//     keys tell what is new.
//     A file that was moved has one of its own, and is looked at for a while.
//
// # What becomes of a row
//
// A row is recorded in the bulk lane, or, where something in it cannot be
// understood, kept with the reason and its mapped columns for a person, while
// the rows after it flow on. A row whose natural key was recorded before with
// the same content counts nothing; with another content it goes to a person
// ("conflicting_repeat"), since it may be a correction, or two events that the
// key does not tell apart.
//
// A file whose header no longer fits the mapping is held, untouched and with an
// alarm, until it or the mapping is mended. The others are read: each is checked
// for itself, and none waits behind a bad one.
//
// The rows that went to a person are listed for the branch, where one is
// corrected, by the columns that the mapping names and through the same mapping,
// or dismissed. Either is a record of its own in the live lane that settles the
// row; the row stays as it was recorded.
//
// # Order of things
//
// Rows are read, mapped and recorded in chunks, the next one prepared while
// the one before is being committed. The checkpoint is written in the same
// commits as the rows, always behind the last chunk of which every repeated
// row has been compared; so after a power cut a few rows are read again and
// are known by their keys. A file is done when its last row and checkpoint are
// on disk.
package dispense
