using System.Globalization;
using System.Text;
using System.Text.Json;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>
/// Up to where the records of a host are on disk: by the last line of its file, or, where that was just rotated, by a small file beside it
/// that is written after the lines. So a kill between the two costs nothing.
/// </summary>
internal sealed class HostPosition : IDisposable
{
    private const int Length = 38; // run, blank, sequence number, line feed

    private readonly SafeFileHandle _file;

    /// <exception cref="IOException">It cannot be opened, or must not be trusted.</exception>
    internal HostPosition(OwnedDirectory directory, string name) => _file = directory.OpenOrCreate($"{name}.position", FileModes.Log);

    /// <summary>The later of the two; zeros when there is none.</summary>
    internal (ulong Run, ulong Last) Read(string log)
    {
        (ulong Run, ulong Last) saved = ReadSaved(), inLog = ReadLast(log);
        return saved.CompareTo(inLog) > 0 ? saved : inLog;
    }

    /// <exception cref="IOException">The disk is full.</exception>
    internal void Write(ulong run, ulong last)
    {
        Span<byte> line = stackalloc byte[Length];
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{run:x16} {last:d20}\n"), line);
        RandomAccess.Write(_file, line, 0);
    }

    public void Dispose() => _file.Dispose();

    private (ulong Run, ulong Last) ReadSaved()
    {
        Span<byte> content = stackalloc byte[Length];
        string text = Encoding.ASCII.GetString(content[..RandomAccess.Read(_file, content, 0)]);
        return text.Length == Length
            && ulong.TryParse(text.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong run)
            && ulong.TryParse(text.AsSpan(17, 20), NumberStyles.None, CultureInfo.InvariantCulture, out ulong last)
            ? (run, last)
            : default;
    }

    private static (ulong Run, ulong Last) ReadLast(string log)
    {
        using SafeFileHandle file = File.OpenHandle(log, share: FileShare.ReadWrite | FileShare.Delete);
        long length = RandomAccess.GetLength(file);
        byte[] tail = new byte[Math.Min(length, LogTail.MaxLength)];
        Span<byte> lines = tail.AsSpan(0, RandomAccess.Read(file, tail, length - tail.Length));
        lines = lines[..(lines.LastIndexOf((byte)'\n') + 1)];
        while (!lines.IsEmpty)
        {
            int begin = lines[..^1].LastIndexOf((byte)'\n') + 1;
            if (TryRead(lines[begin..^1], out (ulong, ulong) position))
                return position;
            lines = lines[..begin];
        }

        return default;
    }

    /// <summary>Of one record; a line that is none of a fleet has no position.</summary>
    private static bool TryRead(ReadOnlySpan<byte> line, out (ulong Run, ulong Last) position)
    {
        position = default;
        try
        {
            JsonElement record = JsonElement.Parse(line);
            if (!record.TryGetProperty("run", out JsonElement run) || !record.TryGetProperty("seq", out JsonElement sequence))
                return false;
            if (record.TryGetProperty("seq_to", out JsonElement last))
                sequence = last;
            position.Last = sequence.GetUInt64();
            return ulong.TryParse(run.GetString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out position.Run);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }
}
