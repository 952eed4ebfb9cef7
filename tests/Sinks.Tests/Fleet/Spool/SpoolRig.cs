using System.Text;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Tests.Fleet.Spool;

/// <summary>A spool in a directory of its own, with a clock and a disk that the test controls.</summary>
internal sealed class SpoolRig : IDisposable
{
    internal const ulong Run = 0xA0;

    private readonly TemporaryDirectory _directory = new();
    private MessageSpool? _spool;

    internal FakeTimeProvider Time { get; } = new(FlowLogTestData.Clock);

    internal RecordingLogger Logger { get; } = new();

    internal SpoolOptions Options { get; init; } = new() { KeepFreeBytes = 0 };

    internal Disk CurrentDisk { get; private set; } = null!;

    internal string Path => _directory.File("spool");

    internal string[] Files => [.. Directory.GetFiles(Path, "messages-*").Order(StringComparer.Ordinal)];

    internal MessageSpool Spool => _spool ??= Open();

    /// <summary>As after a kill -9: nothing is written out in order.</summary>
    internal MessageSpool Reopen(Action? meanwhile = null)
    {
        byte[]? mark = File.Exists(MarkPath) ? File.ReadAllBytes(MarkPath) : null;
        _spool?.Dispose();
        if (mark is null)
            File.Delete(MarkPath);
        else
            File.WriteAllBytes(MarkPath, mark);
        meanwhile?.Invoke();
        return _spool = Open();
    }

    internal string MarkPath => System.IO.Path.Join(Path, "acknowledged");

    internal byte[] Frame(ulong first, ulong last, string lines = "{}\n", ulong run = Run, ulong previousRun = 0, ulong previousLast = 0)
    {
        byte[] frame = [.. new byte[FrameHeader.Length], .. Encoding.ASCII.GetBytes(lines)];
        Header(first, last, run, previousRun, previousLast).Write(frame);
        return frame;
    }

    internal FrameHeader Header(ulong first, ulong last, ulong run = Run, ulong previousRun = 0, ulong previousLast = 0)
    {
        long now = Time.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000;
        return new FrameHeader(run, first, last, Latest: now, UnreportedFrom: 0, Made: now, previousRun, previousLast);
    }

    internal bool TryAppend(ulong first, ulong last, string lines = "{}\n") => Spool.TryAppend(Frame(first, last, lines), out _, out _);

    /// <summary>First sequence numbers of all messages that are read.</summary>
    internal static List<ulong> ReadAll(MessageSpool spool)
    {
        List<ulong> read = [];
        while (spool.Read() is { } message)
        {
            read.Add(message.Header.First);
            message.Release();
        }

        return read;
    }

    public void Dispose()
    {
        _spool?.Dispose();
        _directory.Dispose();
    }

    private MessageSpool Open() => new(CurrentDisk = new Disk(Path), Options, "Nats", Time, Logger);

    /// <summary>A disk that may be full.</summary>
    internal sealed class Disk(string path) : SpoolFiles(path)
    {
        /// <summary>Bytes that the next write takes before it fails; null: it does not fail.</summary>
        internal int? FailsAfter { get; set; }

        internal long Free { get; set; } = long.MaxValue;

        internal override void Write(SafeFileHandle file, ReadOnlySpan<byte> data, long offset)
        {
            if (FailsAfter is not { } taken)
            {
                base.Write(file, data, offset);
                return;
            }

            base.Write(file, data[..Math.Min(taken, data.Length)], offset);
            throw new IOException("No space left on device");
        }

        internal override long FreeBytes() => Free;
    }
}
