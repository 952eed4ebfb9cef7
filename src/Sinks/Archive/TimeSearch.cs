using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive;

/// <summary>Binary search by time in a file that is not compressed.</summary>
internal static class TimeSearch
{
    private const int Probe = 64 * 1024; // no line is longer
    private const int MostProbes = 64; // in a row, without a line that shows the time: a dump of many flows
    private const long Enough = 1024 * 1024;

    /// <summary>
    /// A place such that what shows the time before it is older than <paramref name="time"/>, and what does so from
    /// <paramref name="above"/> on is not.
    /// </summary>
    /// <returns>Where a line begins, or 0.</returns>
    internal static long Below(SafeFileHandle file, long length, long time, out long above)
    {
        long low = 0;
        above = length;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(2 * Probe);
        try
        {
            while (above - low > Enough)
            {
                long middle = low + ((above - low) / 2);
                if (FirstFrom(file, middle, above, buffer, out long at) is not { } found)
                    break; // nothing there shows it: both bounds stay safe
                if (found < time)
                    low = at;
                else
                    above = at;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return low;
    }

    /// <summary>Where the first line begins that begins at or after a place.</summary>
    internal static long LineFrom(SafeFileHandle file, long at, long length)
    {
        if (at <= 0 || at >= length)
            return Math.Clamp(at, 0, length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Probe);
        try
        {
            for (long from = at - 1; from < length;)
            {
                int read = RandomAccess.Read(file, buffer, from);
                int feed = buffer.AsSpan(0, read).IndexOf((byte)'\n');
                if (feed >= 0)
                    return Math.Min(from + feed + 1, length);
                if (read == 0)
                    break;
                from += read;
            }

            return length;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static long? FirstFrom(SafeFileHandle file, long from, long end, byte[] buffer, out long at)
    {
        at = LineFrom(file, from, end);
        for (int probe = 0; probe < MostProbes && at < end; probe++)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)), at);
            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, read);
            int whole = bytes.LastIndexOf((byte)'\n') + 1;
            if (RecordOrder.FirstIn(bytes[..whole], out int offset) is { } time)
            {
                at += offset;
                return time;
            }

            if (whole == 0)
                return null;
            at += whole;
        }

        return null;
    }
}
