using ConntrackStream.Pipeline.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>One file of the spool: frames, one behind the other.</summary>
internal sealed class SpoolSegment(long number)
{
    internal long Number => number;

    /// <summary>Bytes of whole frames.</summary>
    internal long Length { get; set; }

    /// <summary>When the last frame was appended, ns since the Unix epoch.</summary>
    internal long Newest { get; set; }

    /// <summary>As it is on disk; null when it has gone.</summary>
    /// <exception cref="IOException">It must not be trusted.</exception>
    internal static SpoolSegment? Find(SpoolFiles files, long number)
    {
        using SafeFileHandle? file = files.Open(number);
        return file is not null && FileStat.TryRead(file, out FileStat stat)
            ? new SpoolSegment(number) { Length = (long)stat.Size, Newest = stat.Modified }
            : null;
    }

    /// <summary>Goes through all frames.</summary>
    /// <param name="last">The last whole one; null when there is none.</param>
    /// <returns>Bytes of whole frames.</returns>
    internal static long Scan(SafeFileHandle file, out FrameHeader? last)
    {
        last = null;
        long offset = 0;
        byte[] buffer = new byte[FrameHeader.Length + FrameHeader.MaxPayload];
        while (TryReadFrame(file, offset, buffer, out int length) && FrameHeader.TryRead(buffer.AsSpan(0, length), out FrameHeader header))
        {
            last = header;
            offset += length;
        }

        return offset;
    }

    /// <summary>Reads the frame at an offset.</summary>
    /// <returns>False: no whole frame begins there.</returns>
    internal static bool TryReadFrame(SafeFileHandle file, long offset, Span<byte> buffer, out int length)
    {
        length = 0;
        int head = RandomAccess.Read(file, buffer[..FrameHeader.Length], offset);
        if (head < FrameHeader.Length || !FrameHeader.TryLength(buffer, out length))
            return false;
        for (int done = head; done < length;)
        {
            int read = RandomAccess.Read(file, buffer[done..length], offset + done);
            if (read == 0)
                return false;
            done += read;
        }

        return true;
    }
}
