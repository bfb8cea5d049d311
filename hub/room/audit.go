package room

import (
	"context"

	"branchline/hub/ledger"
)

// AuditEntries lists entries of the audit trail, as the ledger does.
func (m *Room) AuditEntries(ctx context.Context, f ledger.AuditFilter) ([]ledger.Entry, int64, error) {
	return m.Ledger.AuditEntries(ctx, f)
}

// VerifyAudit goes through the whole trail, as the ledger does.
func (m *Room) VerifyAudit(ctx context.Context) (int64, error) { return m.Ledger.VerifyAudit(ctx) }
