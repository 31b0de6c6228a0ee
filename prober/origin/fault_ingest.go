package origin

func beginRefusePublish(o *Origin) (heal func() error, err error) {
	o.ingest.refuse.Add(1)
	return func() error {
		o.ingest.refuse.Add(-1)
		return nil
	}, nil
}

func beginStallIngest(o *Origin) (heal func() error, err error) {
	open := o.ingest.stall.close()
	return func() error {
		open()
		return nil
	}, nil
}
