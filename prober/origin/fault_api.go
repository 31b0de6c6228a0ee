package origin

import (
	"errors"
	"net/http"
)

func beginAPI500(o *Origin) (heal func() error, err error) {
	return o.failAPI(http.StatusInternalServerError, "internal server error"), nil
}

func beginAPI401(o *Origin) (heal func() error, err error) {
	return o.failAPI(http.StatusUnauthorized, "no such token"), nil
}

func beginAPI429(o *Origin) (heal func() error, err error) {
	return o.failAPI(http.StatusTooManyRequests, "too many requests"), nil
}

func (o *Origin) failAPI(status int, message string) (heal func() error) {
	return healBy(o.api.faults.add(func(w http.ResponseWriter, _ *http.Request, _ func(http.ResponseWriter)) {
		answerError(w, status, errors.New(message))
	}))
}

// beginAPISlow begins every answer after most clients have given up.
func beginAPISlow(o *Origin) (heal func() error, err error) {
	return slow(&o.api.faults), nil
}

// beginAPIBadAnswer answers with success and without what was asked for.
func beginAPIBadAnswer(o *Origin) (heal func() error, err error) {
	return healBy(o.api.faults.add(func(w http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) {
		status := http.StatusOK
		if r.Method == http.MethodPost {
			status = http.StatusCreated
		}
		answer(w, status, map[string]string{"status": "ok"})
	})), nil
}
