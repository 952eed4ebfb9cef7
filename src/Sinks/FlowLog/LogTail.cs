using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>What the end of an existing log tells: whether its last line is whole, and when its latest record was made.</summary>
/// <param name="WholeLength">Bytes up to and including the last line feed.</param>
/// <param name="IsTorn">Something follows the last line feed: the previous run was killed in the middle of a write.</param>
/// <param name="IsOwn">What follows is the beginning of one of our lines, and so may be cut off; else it is somebody else's.</param>
/// <param name="LastTime">Latest time of the whole records, ns since the Unix epoch; null when it tells none.</param>
internal readonly record struct LogTail(long WholeLength, bool IsTorn, bool IsOwn, long? LastTime)
{
    /// <summary>How far back the last line is looked for; no record of ours is longer.</summary>
    internal const int MaxLength = 64 * 1024;

    // The first bytes of every line this program writes: JSON, ECS, conntrack's events with and without time, comments of the text format.
    private static readonly byte[][] Starts =
    [
        LineTime.EcsStart.ToArray(),
        .. new[] { "{\"v\":1,", "    [NEW] ", " [UPDATE] ", "[DESTROY] ", "# gap ", "# refused ", "[" }.Select(Encoding.ASCII.GetBytes),
    ];

    internal static LogTail Read(SafeFileHandle file, long length)
    {
        byte[] tail = new byte[Math.Min(length, MaxLength)];
        int read = RandomAccess.Read(file, tail, length - tail.Length);
        ReadOnlySpan<byte> bytes = tail.AsSpan(0, read);
        int whole = bytes.LastIndexOf((byte)'\n') + 1;
        ReadOnlySpan<byte> torn = bytes[whole..];
        bool found = whole > 0 || read == length;
        return new LogTail(length - torn.Length, !torn.IsEmpty, found && IsOwnStart(torn), LastTimeIn(bytes[..whole]));
    }

    private static bool IsOwnStart(ReadOnlySpan<byte> torn)
    {
        foreach (byte[] start in Starts)
        {
            int common = Math.Min(start.Length, torn.Length);
            if (torn[..common].SequenceEqual(start.AsSpan(0, common)))
                return true;
        }

        return false;
    }

    /// <summary>
    /// The latest time among the lines: the last one need not have it, since a dump's starts come with the times at which the flows began.
    /// What the service concluded counts only where there is nothing else: older events may have waited to be read then.
    /// </summary>
    internal static long? LastTimeIn(ReadOnlySpan<byte> lines)
    {
        long? last = null, concluded = null;
        while (!lines.IsEmpty)
        {
            int end = lines.IndexOf((byte)'\n');
            ref long? latest = ref LineTime.IsConclusion(lines[..end]) ? ref concluded : ref last;
            if (LineTime.Of(lines[..end]) is { } time && !(latest >= time))
                latest = time;
            lines = lines[(end + 1)..];
        }

        return last ?? concluded;
    }
}
