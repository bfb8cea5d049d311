package outbox_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"branchline/agent/outbox"
)

// No sum protects a block's head: the chain says where its records belong.
func TestAWrongHeadDoesNotMoveABlock(t *testing.T) {
	b := makeOriginal(t)
	want := b.records()
	damages := map[string]func(file []byte){
		"the tree whole": func([]byte) {},
		"no tree":        func(file []byte) { clear(file[:8192]) },
	}
	fields := map[string]struct {
		at   int
		flip byte
	}{
		"lane":                 {4, 3}, // live and bulk change places
		"epoch":                {9, 1},
		"epoch, none":          {9, 0x80}, // no sign of any epoch
		"lane, none":           {4, 0x40},
		"first, none":          {17, 0x80},
		"first, a bit":         {24, 1},
		"first, by a thousand": {22, 8},
		"first, far away":      {18, 1},
	}
	for how, damage := range damages {
		for field, f := range fields {
			t.Run(field+", "+how, func(t *testing.T) {
				block := b.blocks[len(b.blocks)/2].Value
				file := slices.Clone(b.file)
				damage(file)
				for i, n := 0, 0; ; i += len(block) {
					if n = bytes.Index(file[i:], block); n < 0 {
						break
					}
					i += n
					file[i+f.at] ^= f.flip
				}
				cfg := b.cfg
				cfg.Path = filepath.Join(t.TempDir(), "outbox.db")
				if err := os.WriteFile(cfg.Path, file, 0o600); err != nil {
					t.Fatal(err)
				}
				left := maps.Clone(want)
				for _, s := range outbox.StoredBlocks(open(t, cfg)) {
					for i, r := range s.Records {
						p := place{s.Epoch, s.Lane, s.First + uint64(i)}
						if want[p] == string(r) {
							delete(left, p)
						} else if !bytes.Contains(r, []byte("outbox_salvaged")) {
							t.Errorf("%v is %s", p, r)
						}
					}
				}
				if len(left) > 0 {
					t.Errorf("%d records are not in their places", len(left))
				}
			})
		}
	}
}
