using System.Buffers;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Archive;

/// <summary>What the beginning of a file shows.</summary>
/// <param name="IsRecords">It begins with a record of a flow log.</param>
/// <param name="FirstTime">When the log came here, ns since the Unix epoch; null when the first records do not show it.</param>
/// <param name="Lacking">A field that its first flows lack and without which nothing can be answered; null if they have all.</param>
/// <param name="Problem">Why the beginning cannot be read: the end of the sentence "FILE …".</param>
internal readonly record struct FileHead(bool IsRecords, RecordFormat Format, long? FirstTime, string? Lacking, string? Problem)
{
    private const int BlockLength = 256 * 1024;
    private const int MostBlocks = 16; // a log may begin with the starts of a large table, which do not show the time

    internal static FileHead Read(ArchiveFile file)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockLength); // of a hundred files in a row: nothing is left to be collected
        FileHead head = default;
        try
        {
            using ArchiveBytes source = file.Read();
            return Read(source, block.AsSpan(0, BlockLength), ref head);
        }
        catch (Exception e) when (e is ArchiveDamageException or IOException)
        {
            return head with { Problem = e.Message };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private static FileHead Read(ArchiveBytes source, Span<byte> block, ref FileHead head)
    {
        int held = 0;
        for (int blocks = 0; blocks < MostBlocks; blocks++)
        {
            int filled = held + source.Fill(block[held..], out Exception? damage);
            ReadOnlySpan<byte> bytes = block[..filled];
            if (blocks == 0)
                head = Of(bytes);
            head = head with { Problem = damage?.Message ?? head.Problem };
            if (!head.IsRecords)
                return head;
            int whole = bytes.LastIndexOf((byte)'\n') + 1;
            if (head.Lacking is null)
                head = head with { Lacking = LackingIn(bytes[..whole], head.Format) };
            if (RecordOrder.FirstIn(bytes[..whole], out _) is { } time)
                return head with { FirstTime = time };
            if (filled < block.Length || whole == 0)
                break;
            held = filled - whole;
            bytes[whole..].CopyTo(block);
        }

        return head;
    }

    /// <summary>By the first line; an empty file is a log that has just begun.</summary>
    private static FileHead Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes.StartsWith("{\"v\":1,"u8))
            return new FileHead(IsRecords: true, RecordFormat.Json, null, null, null);
        if (bytes.StartsWith(LineTime.EcsStart))
            return new FileHead(bytes.IndexOf("\"conntrack\":{"u8) >= 0, RecordFormat.Ecs, null, null, null);
        int end = bytes.IndexOf((byte)'\n');
        if (end < 0 || !"[ #"u8.Contains(bytes[0]))
            return default;
        FlowEvent e = default;
        ArchiveLine fields = default;
        FlowExtras extras = new();
        bool isRecord = ArchiveRecord.TryRead(RecordFormat.Text, bytes[..end], ref e, ref fields, () => extras, out _, out string? problem)
            || bytes.StartsWith("# refused "u8);
        bool lacksTime = problem is not null && fields.FlowId is not null; // it could be read but for that
        return new FileHead(
            isRecord, RecordFormat.Text, null, null, lacksTime ? "has lines without a time (conntrack -E needs -o timestamp,id)" : null);
    }

    private static string? LackingIn(ReadOnlySpan<byte> lines, RecordFormat format)
    {
        for (int end; (end = lines.IndexOf((byte)'\n')) >= 0; lines = lines[(end + 1)..])
        {
            ReadOnlySpan<byte> line = lines[..end];
            if (line.IndexOf(format.GapNeedle()) >= 0 || LineTime.IsRefusal(line))
                continue;
            if (format != RecordFormat.Ecs)
                return LackingOf(line, format == RecordFormat.Json ? OfJson : []);
            if (LackingOf(line, OfEcs) is { } lacking)
                return lacking;
            if (LacksTranslation(line))
                return "source.nat.ip or destination.nat.ip";
        }

        return null;
    }

    private static readonly (string Text, string Name)[] OfJson =
        [.. new[] { "flow_id", "family", "proto_num", "src", "dst", "reply_src", "reply_dst", "origin" }.Select(n => ($"\"{n}\":", n))];

    private static readonly (string Text, string Name)[] OfEcs =
    [
        ("\"type\":\"ip", "network.type"), ("\"iana_number\":", "network.iana_number"), ("\"source\":{\"ip\":", "source.ip"),
        ("\"destination\":{\"ip\":", "destination.ip"), ("\"flow_id\":", "conntrack.flow_id"), ("\"nat\":\"", "conntrack.nat"),
        ("\"origin\":", "conntrack.origin"),
    ];

    private static string? LackingOf(ReadOnlySpan<byte> line, (string Text, string Name)[] needed)
    {
        foreach ((string text, string name) in needed)
        {
            if (line.IndexOf(Encoding.ASCII.GetBytes(text)) < 0)
                return name;
        }

        return null;
    }

    /// <summary>Of ICMP, NAT may change the id alone.</summary>
    private static bool LacksTranslation(ReadOnlySpan<byte> line) =>
        line.IndexOf("\"nat\":\"none\""u8) < 0 && line.IndexOf("\"nat\":{\"ip\":"u8) < 0 && line.IndexOf("icmp"u8) < 0;
}
