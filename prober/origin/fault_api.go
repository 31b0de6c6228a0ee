package origin

import (
	"errors"
	"net/http"
)

func beginAPI500(o *Origin) (heal func() error, err error) {
	remove := o.api.faults.add(func(w http.ResponseWriter, _ *http.Request, _ func(http.ResponseWriter)) {
		answerError(w, http.StatusInternalServerError, errors.New("internal server error"))
	})
	return func() error {
		remove()
		return nil
	}, nil
}
