using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Index;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Tests.FlowLog;
using ConntrackStream.Tests;
using CsCheck;

namespace ConntrackStream.Sinks.Tests.Archive;

/// <summary>The reader of all records is the oracle.</summary>
public sealed class QuickRecordTests
{
    private static readonly FlowRecordWriter Writer = new("gw", "blue", FlowDirections.None, communityId: true);

    private static readonly byte[][] Lines =
    [
        .. RecordCases.Random(3000).Select(static change => Encoding.UTF8.GetBytes(RecordCases.Write(Writer, change).TrimEnd())),
    ];

    [Fact]
    public void Every_record_that_has_no_labels_and_no_helper_is_read_quickly_and_the_same()
    {
        foreach (byte[] line in Lines)
        {
            bool isPlain = line.AsSpan().IndexOf("\"labels\""u8) < 0 && line.AsSpan().IndexOf("\"helper\""u8) < 0;
            Assert.Equal(isPlain, IsSame(line));
        }
    }

    /// <summary>Bytes changed, left out, put in, doubled: what is accepted, the other reader accepts.</summary>
    [Fact]
    public void What_is_read_quickly_of_damaged_records_is_read_the_same_by_the_other() => Gen.Int.Check(20_000, static seed =>
    {
        Random random = new(seed);
        byte[] line = [.. Lines[random.Next(Lines.Length)]];
        int at = random.Next(line.Length), length = random.Next(Math.Min(40, line.Length - at));
        byte[] other = "{}[]\":,\\0123456789-.eZTtnulafs é\0"u8.ToArray();
        line = random.Next(4) switch
        {
            0 => [.. line[..at], other[random.Next(other.Length)], .. line[(at + 1)..]],
            1 => [.. line[..at], .. line[(at + length)..]],
            2 => [.. line[..at], other[random.Next(other.Length)], .. line[at..]],
            _ => [.. line[..(at + length)], .. line[at..]],
        };
        IsSame(line);
    });

    private static bool IsSame(byte[] line)
    {
        FlowEvent quick = default, slow = default;
        ArchiveLine ofQuick = default, ofSlow = default;
        if (!QuickRecord.TryRead(line, ref quick, ref ofQuick))
            return false;
        bool isRead = ArchiveRecord.TryRead(
            RecordFormat.Json, line, ref slow, ref ofSlow, static () => new FlowExtras(), out FlowGap? gap, out string? problem);
        Assert.True(isRead && gap is null, $"{problem}: {Encoding.UTF8.GetString(line)}");
        const FlowFields Needed = FlowFields.BothTuples | FlowFields.StartTime | FlowFields.StopTime;
        Assert.Equal(
            (slow.Type, slow.Time, slow.Flow.StartTime, slow.Flow.StopTime, slow.Flow.Present & Needed, ofSlow.FlowId),
            (quick.Type, quick.Time, quick.Flow.StartTime, quick.Flow.StopTime, quick.Flow.Present, ofQuick.FlowId));
        Assert.True(slow.Flow.Original == quick.Flow.Original && (!slow.Flow.Has(FlowFields.Reply) || slow.Flow.Reply == quick.Flow.Reply));
        Assert.True(ofSlow.Host.SequenceEqual(ofQuick.Host) && ofSlow.NetworkNamespace.SequenceEqual(ofQuick.NetworkNamespace));
        Assert.True(ofSlow.Event.SequenceEqual(ofQuick.Event));
        return true;
    }
}
