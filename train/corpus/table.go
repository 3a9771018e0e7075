package corpus

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// table reads one column of a Parquet file, page by page.
func table(file, column string, f func(string) error) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	p, err := parquet.OpenFile(in, info.Size())
	if err != nil {
		return err
	}
	leaf, ok := p.Schema().Lookup(column)
	if !ok || leaf.Node.Type().Kind() != parquet.ByteArray {
		return fmt.Errorf("column %q holds no text; the columns are %v", column, p.Schema().Columns())
	}
	for _, group := range p.RowGroups() {
		if err := pages(group.ColumnChunks()[leaf.ColumnIndex], f); err != nil {
			return err
		}
	}
	return nil
}

func pages(chunk parquet.ColumnChunk, f func(string) error) error {
	list := chunk.Pages()
	defer list.Close()
	values := make([]parquet.Value, 256)
	for {
		page, err := list.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(values)
			for _, v := range values[:n] {
				if v.IsNull() {
					continue
				}
				if err := f(string(v.ByteArray())); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}
