using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Evidence;
using ConntrackStream.Sinks.MapCleaning.Map;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Evidence;

public sealed class MapEvidenceFileTests : IDisposable
{
    private const long Time = 1_700_000_000_123_456_789;

    private static readonly TombstoneView Ended = new(
        Key(IpProtocol.Tcp, 1025, 443, 7), TombstoneReason.Ended, TombstoneState.Armed, new FlowId(0x123, 5), ConntrackId: 99,
        Since: Time - 1000, NominatedAt: Time, Misses: 0);

    private static readonly TombstoneView Missed = new(
        Key(IpProtocol.Icmp, 0, 0, 0), TombstoneReason.MissedTwice, TombstoneState.Waiting, default, ConntrackId: 0,
        Since: Time, NominatedAt: Time + 2_000_000, Misses: 2);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(FlowLogTestData.Clock);
    private readonly RecordingLogger _logger = new();

    private string Path => _directory.File("evidence.ndjson");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Each_decision_is_a_line_with_the_names_of_flow_records()
    {
        await using (MapEvidenceFile file = Open())
        {
            file.Write(new MapDecision(DeleteOutcome.Deleted, Ended, Reason: null, AbsentNs: 0, Time + 5_000_000_000, Zones: 1));
            file.Write(new MapDecision(DeleteOutcome.WouldDelete, Missed, Reason: null, AbsentNs: 0, Time, Zones: 1));
            file.Write(new MapDecision(DeleteOutcome.Restored, Ended, "a flow with \"it\" started", AbsentNs: 208_500, Time, Zones: 2));
            file.Flush();
            Assert.Equal(3, File.ReadLines(Path).Count()); // without waiting for the end
        }

        Assert.Equal<IEnumerable<string>>(
            [
                """{"v":1,"time":"2023-11-14T22:13:25.123456Z","outcome":"deleted","family":"ipv4","proto":"tcp","proto_num":6,"src":"10.0.0.1","sport":1025,"dst":"10.0.0.2","dport":443,"owner":"10.0.0.1","ifindex":7,"reason":"ended","flow_id":"00000000-0000-8123-8000-000000000005","ct_id":99,"end":"2023-11-14T22:13:20.123455Z","nominated":"2023-11-14T22:13:20.123456Z","zones":1}""",
                """{"v":1,"time":"2023-11-14T22:13:20.123456Z","outcome":"would_delete","family":"ipv4","proto":"icmp","proto_num":1,"src":"10.0.0.1","dst":"10.0.0.2","owner":"10.0.0.1","reason":"missed_twice","misses":2,"first_miss":"2023-11-14T22:13:20.123456Z","nominated":"2023-11-14T22:13:20.125456Z"}""",
                """{"v":1,"time":"2023-11-14T22:13:20.123456Z","outcome":"restored","family":"ipv4","proto":"tcp","proto_num":6,"src":"10.0.0.1","sport":1025,"dst":"10.0.0.2","dport":443,"owner":"10.0.0.1","ifindex":7,"reason":"ended","flow_id":"00000000-0000-8123-8000-000000000005","ct_id":99,"end":"2023-11-14T22:13:20.123455Z","nominated":"2023-11-14T22:13:20.123456Z","zones":2,"why":"a flow with \"it\" started","absent_ns":208500}""",
            ],
            File.ReadLines(Path));
        Assert.All(File.ReadLines(Path), static line => JsonDocument.Parse(line).Dispose());
        Assert.Empty(_logger.Ids);
    }

    [Fact]
    public void The_longest_line_fits()
    {
        IpAddress longest = IpAddress.From(IPAddress.Parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
        FlowTuple tuple = new() { Family = FlowFamily.IPv6, Protocol = IpProtocol.UdpLite, Source = longest, Destination = longest };
        MapDecision decision = new(
            DeleteOutcome.RestoreFailed,
            Ended with
            {
                Key = new MapKey(
                    tuple with { Protocol = IpProtocol.Sctp, SourcePort = 65535, DestinationPort = 65535 }, longest, uint.MaxValue),
            },
            new string('x', 300), long.MaxValue, Time, Zones: 65536);
        Assert.InRange(new EvidenceLine().Write(new byte[EvidenceLine.MaxLength], decision), 1, EvidenceLine.MaxLength);
    }

    [Fact]
    public async Task It_is_private_and_no_symbolic_link_is_followed()
    {
        await using (MapEvidenceFile file = Open())
        {
            const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path) & ~Mode);
        }

        string link = _directory.File("link");
        File.CreateSymbolicLink(link, Path);
        FlowLogFileException e =
            Assert.Throws<FlowLogFileException>(() => new MapEvidenceFile(link, new RotationOptions(), _time, _logger));
        Assert.Equal($"Map:EvidencePath '{link}': is a symbolic link, which is not followed; name the file itself", e.Message);
    }

    [Fact]
    public async Task A_renamed_file_is_opened_again()
    {
        await using MapEvidenceFile file = Open();
        Write(file, 1);
        File.Move(Path, _directory.File("old"));
        Write(file, 1); // goes on in the old one
        file.Reopen();
        Write(file, 3);
        Assert.Equal((2, 3), (File.ReadLines(_directory.File("old")).Count(), File.ReadLines(Path).Count()));
    }

    [Fact]
    public async Task It_does_not_grow_beyond_its_bound()
    {
        await using MapEvidenceFile file = Open(new RotationOptions { MaxBytes = 64 * 1024, Keep = 1 });
        for (int i = 0; i < 30; i++)
            Write(file, 100);
        Assert.InRange(new FileInfo(Path).Length, 1, 64 * 1024);
        Assert.NotEmpty(new RotatedFiles(Path).List());
    }

    private static void Write(MapEvidenceFile file, int lines)
    {
        for (int i = 0; i < lines; i++)
            file.Write(new MapDecision(DeleteOutcome.Deleted, Ended, Reason: null, AbsentNs: 0, Time, Zones: 1));
        file.Flush();
    }

    private static MapKey Key(IpProtocol protocol, ushort sourcePort, ushort port, uint interfaceIndex)
    {
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = IpAddress.From(IPAddress.Parse("10.0.0.1")),
            Destination = IpAddress.From(IPAddress.Parse("10.0.0.2")),
            SourcePort = sourcePort,
            DestinationPort = port,
        };
        return new MapKey(tuple, tuple.Source, interfaceIndex);
    }

    private MapEvidenceFile Open(RotationOptions? rotation = null) => new(Path, rotation ?? new RotationOptions(), _time, _logger);
}
