// Package backtest runs recorded results through two policies and tells what each
// would have opened. It must not know where they were recorded, nor publish anything.
package backtest
