// Package rig puts a whole Branchline together on one machine, from its real
// programs: an Odoo (simulated, or a real one), a hub, and branch agents with
// scanners on pseudo-terminals and export folders. "make run" shows one to
// people; the end-to-end and kill tests torment one.
package rig
