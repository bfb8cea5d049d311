// Package mapped keeps what bbolt maps of its files out of the memory that is
// measured.
package mapped
