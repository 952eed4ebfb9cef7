using System.Text;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// Reads a child's standard error and logs it: shortened, printable, so many lines in a second; and no faster than a program with something
/// to say needs.
/// </summary>
internal sealed class ErrorLines : IAsyncDisposable
{
    internal const int LinesPerSecond = 10;
    private const int MaxText = 256;
    private const int FullReadsPerSecond = 64; // × 16 KiB = 1 MiB/s; beyond that the child waits

    private readonly Stream _stream;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private long _secondBegan;
    private int _logged; // in this second
    private long _suppressed;

    internal ErrorLines(Stream stream, TimeProvider time, ILogger logger)
    {
        (_stream, _time, _logger) = (stream, time, logger);
        _secondBegan = time.GetTimestamp();
        _reading = ReadAsync();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _reading.WaitAsync(ChildPeer.Grace, _time).ConfigureAwait(false); // its last words are the most telling ones
        }
        catch (TimeoutException) // somebody holds the pipe open
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _reading.ConfigureAwait(false);
        }

        _stream.Dispose();
        _stop.Dispose();
    }

    private async Task ReadAsync()
    {
        LineBuffer lines = ExternalPeer.LinesOf(_stream);
        try
        {
            while (await lines.FillAsync(_stop.Token).ConfigureAwait(false))
            {
                while (lines.TryTake(out ReadOnlySpan<byte> line, out bool isTooLong))
                    Log(isTooLong ? "(an overlong line)"u8 : line);
                await Task.Delay(TimeSpan.FromSeconds(1.0 / FullReadsPerSecond), _time, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // the child's end
        }

        if (_suppressed > 0)
            _logger.ExternalErrorsSuppressed(_suppressed);
    }

    private void Log(ReadOnlySpan<byte> line)
    {
        if (_time.GetElapsedTime(_secondBegan) >= TimeSpan.FromSeconds(1))
        {
            _secondBegan = _time.GetTimestamp();
            _logged = 0;
            if (_suppressed > 0)
                _logger.ExternalErrorsSuppressed(_suppressed);
            _suppressed = 0;
        }

        if (_logged++ < LinesPerSecond)
            _logger.ExternalError(Printable(line));
        else
            _suppressed++;
    }

    /// <summary>The beginning of a foreign line as it may be logged.</summary>
    internal static string Printable(ReadOnlySpan<byte> line)
    {
        Span<char> clean = stackalloc char[MaxText];
        return new string(clean[..ReasonTexts.Clean(Encoding.UTF8.GetString(line[..Math.Min(line.Length, MaxText)]), clean)]);
    }
}
