using System.Globalization;
using System.Text;
using System.Text.Json;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>
/// Up to where the records of a host are on disk: by the last line of its file, or, where that was just rotated, by a small file beside it
/// that is written after the lines. So a kill between the two costs nothing. Behind the position that file has the runs before, of which
/// the stream may deliver a message again.
/// </summary>
internal sealed class HostPosition : IDisposable
{
    private const int Length = 38; // run, blank, sequence number, line feed

    private const int MostLines = 64; // read

    private readonly SafeFileHandle _file;
    private ulong _run; // of the last position that was written

    /// <exception cref="IOException">It cannot be opened, or must not be trusted.</exception>
    internal HostPosition(OwnedDirectory directory, string name) => _file = directory.OpenOrCreate($"{name}.position", FileModes.Log);

    /// <summary>The later of the two; zeros when there is none.</summary>
    internal (ulong Run, ulong Last, List<ulong> Ended) Read(string log)
    {
        List<(ulong Run, ulong Last)> saved = ReadSaved();
        (ulong Run, ulong Last) latest = ReadLast(log);
        if (saved.Count > 0 && saved[0].CompareTo(latest) > 0)
            latest = saved[0];
        return (latest.Run, latest.Last, [.. saved.Select(static position => position.Run)]);
    }

    /// <exception cref="IOException">The disk is full.</exception>
    internal void Write(SequenceTracker sequence)
    {
        Span<byte> line = stackalloc byte[Length];
        if (sequence.Run != _run)
        {
            long at = 0;
            foreach (ulong ended in sequence.Ended)
            {
                Format(ended, 0, line);
                RandomAccess.Write(_file, line, at += Length);
            }
        }

        Format(_run = sequence.Run, sequence.Last, line);
        RandomAccess.Write(_file, line, 0);
    }

    public void Dispose() => _file.Dispose();

    private static void Format(ulong run, ulong last, Span<byte> line) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{run:x16} {last:d20}\n"), line);

    private List<(ulong Run, ulong Last)> ReadSaved()
    {
        List<(ulong, ulong)> positions = [];
        Span<byte> content = stackalloc byte[Length];
        while (positions.Count < MostLines
            && RandomAccess.Read(_file, content, (long)positions.Count * Length) == Length
            && ulong.TryParse(content[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong run)
            && ulong.TryParse(content[17..37], NumberStyles.None, CultureInfo.InvariantCulture, out ulong last))
            positions.Add((run, last));
        return positions;
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
