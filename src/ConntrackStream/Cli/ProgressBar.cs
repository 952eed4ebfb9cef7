using System.Globalization;

namespace ConntrackStream.Service.Cli;

/// <summary>How much of some bytes has been read, as one line on a terminal; nothing elsewhere. For several threads.</summary>
internal sealed class ProgressBar : IDisposable
{
    private const int Width = 30;
    private const string Clear = "\r\e[K"; // to the begin of the line; erase it

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly CliContext _context;
    private readonly long _total;
    private readonly long _begun;
    private long _done, _drawn;

    internal ProgressBar(CliContext context, long total)
    {
        _context = context;
        _total = total;
        _begun = _drawn = context.Time.GetTimestamp();
    }

    internal void Add(long bytes)
    {
        long done = Interlocked.Add(ref _done, bytes);
        if (!_context.ErrorIsTerminal || _context.Time.GetElapsedTime(Interlocked.Read(ref _drawn)) < Interval || !_lock.TryEnter())
            return;
        try
        {
            Interlocked.Exchange(ref _drawn, _context.Time.GetTimestamp());
            _context.Error.Write(Line(done, _total, _context.Time.GetElapsedTime(_begun)));
        }
        finally
        {
            _lock.Exit();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_context.ErrorIsTerminal)
                _context.Error.Write(Clear);
        }
    }

    internal static string Line(long done, long total, TimeSpan elapsed)
    {
        double share = total > 0 ? Math.Min(1, (double)done / total) : 1;
        int full = (int)(share * Width);
        double rate = elapsed > TimeSpan.Zero ? done / elapsed.TotalSeconds / 1e6 : 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Clear}[{new string('#', full)}{new string('.', Width - full)}] {share:P0}, "
                + $"{done / 1_000_000} of {total / 1_000_000} MB, {rate:F0} MB/s");
    }
}
