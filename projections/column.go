package projections

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// column is a column's name and the place of its value in a row. The pointer serves both ways: to scan and to store.
type column struct {
	name  string
	value any
}

// jsonColumn keeps a value as JSON text.
type jsonColumn[T any] struct{ value *T }

func asJSON[T any](value *T) jsonColumn[T] { return jsonColumn[T]{value} }

func (c jsonColumn[T]) Value() (driver.Value, error) {
	data, err := json.Marshal(c.value)
	return string(data), err
}

func (c jsonColumn[T]) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("want JSON text, got %T", src)
	}
	return json.Unmarshal([]byte(text), c.value)
}

// timeColumn keeps a time as microseconds since 1970, in UTC: it sorts, and it means the same in every database.
type timeColumn struct{ value *time.Time }

func asTime(value *time.Time) timeColumn { return timeColumn{value} }

func (c timeColumn) Value() (driver.Value, error) { return c.value.UnixMicro(), nil }

func (c timeColumn) Scan(src any) error {
	micros, ok := src.(int64)
	if !ok {
		return fmt.Errorf("want microseconds, got %T", src)
	}
	*c.value = time.UnixMicro(micros).UTC()
	return nil
}
