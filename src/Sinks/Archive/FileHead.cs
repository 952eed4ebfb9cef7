using System.Text;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Archive;

/// <summary>What the beginning of a file shows.</summary>
/// <param name="IsRecords">It begins with a record of the JSON format.</param>
/// <param name="IsOtherFormat">It begins with a record of the formats ecs or text.</param>
/// <param name="FirstTime">When the log came here, ns since the Unix epoch; null when the first records do not show it.</param>
/// <param name="Lacking">A field that its first flow lacks and without which nothing can be answered; null if it has all.</param>
/// <param name="Problem">Why the beginning cannot be read: the end of the sentence "FILE …".</param>
internal readonly record struct FileHead(bool IsRecords, bool IsOtherFormat, long? FirstTime, string? Lacking, string? Problem)
{
    private const int BlockLength = 256 * 1024;
    private const int MostBlocks = 16; // a log may begin with the starts of a large table, which do not show the time

    private static readonly string[] Needed = ["flow_id", "family", "proto_num", "src", "dst", "reply_src", "reply_dst", "origin"];

    internal static FileHead Read(ArchiveFile file)
    {
        byte[] block = new byte[BlockLength];
        int held = 0;
        bool isRecords = false;
        string? lacking = null;
        try
        {
            using ArchiveBytes source = file.Read();
            for (int blocks = 0; blocks < MostBlocks; blocks++)
            {
                int filled = held;
                for (int read; filled < block.Length && (read = source.Read(block.AsSpan(filled))) > 0;)
                    filled += read;
                ReadOnlySpan<byte> bytes = block.AsSpan(0, filled);
                if (blocks == 0 && filled > 0 && !(isRecords = bytes.StartsWith("{\"v\":1,"u8)))
                    return new FileHead(IsRecords: false, IsOther(bytes), FirstTime: null, Lacking: null, Problem: null);
                int whole = bytes.LastIndexOf((byte)'\n') + 1;
                lacking ??= LackingIn(bytes[..whole]);
                if (RecordOrder.FirstIn(bytes[..whole], out _) is { } time)
                    return new FileHead(IsRecords: true, IsOtherFormat: false, time, lacking, Problem: null);
                if (filled < block.Length || whole == 0)
                    break;
                held = filled - whole;
                bytes[whole..].CopyTo(block);
            }

            return new FileHead(isRecords || file.Length == 0, IsOtherFormat: false, FirstTime: null, lacking, Problem: null);
        }
        catch (Exception e) when (e is ArchiveDamageException or IOException)
        {
            return new FileHead(isRecords, IsOtherFormat: false, FirstTime: null, lacking, e.Message);
        }
    }

    private static string? LackingIn(ReadOnlySpan<byte> lines)
    {
        for (int end; (end = lines.IndexOf((byte)'\n')) >= 0; lines = lines[(end + 1)..])
        {
            ReadOnlySpan<byte> line = lines[..end];
            if (line.IndexOf("\"event\":\"gap\""u8) < 0 && !LineTime.IsRefusal(line))
                return LackingOf(line);
        }

        return null;
    }

    private static string? LackingOf(ReadOnlySpan<byte> line)
    {
        foreach (string name in Needed)
        {
            if (line.IndexOf(Encoding.ASCII.GetBytes($"\"{name}\":")) < 0)
                return name;
        }

        return null;
    }

    private static bool IsOther(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith(LineTime.EcsStart) || bytes.StartsWith("# gap"u8) || bytes.StartsWith("# refused"u8)
        || bytes.StartsWith("    [NEW] "u8) || bytes.StartsWith("[DESTROY] "u8) || bytes.StartsWith(" [UPDATE] "u8)
        || (bytes.StartsWith("["u8) && bytes[..Math.Min(40, bytes.Length)].IndexOf("] \t"u8) > 0)
        || LineTime.Of(bytes[..Math.Max(0, bytes.IndexOf((byte)'\n'))]) is not null;
}
