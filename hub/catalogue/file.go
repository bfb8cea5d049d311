package catalogue

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// form is raised when what is kept has another meaning: an older file is then
// read anew from Odoo.
const form = 1

// maxFile bounds the kept catalogue, decompressed.
const maxFile = 1 << 30

func encode(d *data) ([]byte, error) {
	d.Form = form
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(plain, nil), enc.Close()
}

// load reads the kept catalogue; nil if there is none.
func load(path string) (*data, error) {
	payload, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFile))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	plain, err := dec.DecodeAll(payload, nil)
	if err != nil {
		return nil, err
	}
	d := newData()
	if err := json.Unmarshal(plain, &d); err != nil {
		return nil, err
	}
	if d.Form != form {
		return nil, fmt.Errorf("it has form %d, this hub reads %d", d.Form, form)
	}
	return &d, nil
}

// replace writes a file so that a crash leaves the old or the new one.
func replace(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what matters is the error
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
