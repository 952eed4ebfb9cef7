using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Module;

/// <summary>A map's state as the pipeline tells it, and the JSON it makes.</summary>
internal static class MapTestData
{
    private const long Time = 1_700_000_000_123_456_789;

    internal static readonly TombstoneView Ended = new(
        Key(IpProtocol.Tcp, "10.0.0.1", 1025, "10.0.0.2", 443, 7), TombstoneReason.Ended, TombstoneState.Armed, new FlowId(0x123, 5),
        ConntrackId: 99, Since: Time, NominatedAt: Time + 1_000_000, Misses: 0);

    internal static readonly TombstoneView Missed = new(
        Key(IpProtocol.Icmp, "10.0.0.1", 0, "10.0.0.3", 0, 0), TombstoneReason.MissedTwice, TombstoneState.Waiting, default, ConntrackId: 0,
        Since: Time, NominatedAt: Time + 2_000_000, Misses: 2);

    internal const string EndedJson =
        """{"family":"ipv4","proto":"tcp","src":"10.0.0.1","sport":1025,"dst":"10.0.0.2","dport":443,"owner":"10.0.0.1","ifindex":7,"state":"armed","reason":"ended","flow_id":"00000000-0000-8123-8000-000000000005","ct_id":99,"since":"2023-11-14T22:13:20.123456Z","nominated":"2023-11-14T22:13:20.124456Z"}""";

    internal const string MissedJson =
        """{"family":"ipv4","proto":"icmp","src":"10.0.0.1","dst":"10.0.0.3","owner":"10.0.0.1","state":"waiting","reason":"missed_twice","since":"2023-11-14T22:13:20.123456Z","nominated":"2023-11-14T22:13:20.125456Z","misses":2}""";

    internal const string StatusJson =
        """{"path":"/sys/fs/bpf/m","mode":"delete","id":17,"layout":"some-layout","capacity":65536,"tombstones":2,"armed":1,"observed":0,"without_flow":1,"held":3,"has_matched":true,"refused":false,"starving":true,"problem":null,"exempt_group_count":25,"exempt_groups":[{"proto":"udp","dst":"10.9.9.9","dport":25,"keys":125},{"proto":"udp","dst":"10.9.9.9","dport":24,"keys":124},{"proto":"udp","dst":"10.9.9.9","dport":23,"keys":123},{"proto":"udp","dst":"10.9.9.9","dport":22,"keys":122},{"proto":"udp","dst":"10.9.9.9","dport":21,"keys":121},{"proto":"udp","dst":"10.9.9.9","dport":20,"keys":120},{"proto":"udp","dst":"10.9.9.9","dport":19,"keys":119},{"proto":"udp","dst":"10.9.9.9","dport":18,"keys":118},{"proto":"udp","dst":"10.9.9.9","dport":17,"keys":117},{"proto":"udp","dst":"10.9.9.9","dport":16,"keys":116},{"proto":"udp","dst":"10.9.9.9","dport":15,"keys":115},{"proto":"udp","dst":"10.9.9.9","dport":14,"keys":114},{"proto":"udp","dst":"10.9.9.9","dport":13,"keys":113},{"proto":"udp","dst":"10.9.9.9","dport":12,"keys":112},{"proto":"udp","dst":"10.9.9.9","dport":11,"keys":111},{"proto":"udp","dst":"10.9.9.9","dport":10,"keys":110},{"proto":"udp","dst":"10.9.9.9","dport":9,"keys":109},{"proto":"udp","dst":"10.9.9.9","dport":8,"keys":108},{"proto":"udp","dst":"10.9.9.9","dport":7,"keys":107},{"proto":"udp","dst":"10.9.9.9","dport":6,"keys":106}],"zones":2,"since_counted_seconds":12.5,"last_audit":{"started":"2023-11-14T22:13:20.123456Z","duration_ms":41.5,"entries":100,"matched":90,"missed":8,"young":2,"junk":1,"problem":null},"counters":{"audits":1,"audits_discarded":2,"voided":0,"recreated":0,"nominated_by_end":0,"nominated_by_misses":0,"deferred":0,"cancelled_by_new":0,"kept_alive":0,"kept_in_use":0,"kept_untracked":0,"kept_held":0,"ends_held":5,"already_gone":0,"deleted":10,"would_delete":0,"restored":4,"healed":0,"restore_failed":0,"deleted_by_others":3,"evicted":0,"lost_unknown":0,"failures":0,"longest_absence_us":208.5}}""";

    internal static MapStatus Status => new()
    {
        Mode = MapMode.Delete,
        Map = new FlowMapInfo(
            17, "/sys/fs/bpf/m", "m", "some-layout", 65536, IsIPv6: false, HasInterfaceIndex: true, HasLastSeen: true, IsWritable: true),
        Problem = null,
        HasMatched = true,
        IsRefused = false,
        IsStarving = true,
        Tombstones = 2,
        Armed = 1,
        Observed = 0,
        WithoutFlow = 1,
        Held = 3,
        ExemptGroups = Enumerable.Range(1, 25).ToDictionary(
            static port => new MapGroup(IpProtocol.Udp, FlowFamily.IPv4, IpAddress.From(IPAddress.Parse("10.9.9.9")), (ushort)port),
            static port => 100 + port),
        Zones = 2,
        LastAudit = new MapReport(Time, TimeSpan.FromMilliseconds(41.5), 100, 90, 8, 2, 1, Problem: null),
        SinceCounted = TimeSpan.FromSeconds(12.5),
        Counters = new MapCounters
        {
            Audits = 1,
            AuditsDiscarded = 2,
            Deleted = 10,
            EndsHeld = 5,
            Restored = 4,
            DeletedByOthers = 3,
            LongestAbsence = 208_500,
        },
    };

    internal static MapKey Key(
        IpProtocol protocol, string source, ushort sourcePort, string destination, ushort destinationPort, uint interfaceIndex)
    {
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = IpAddress.From(IPAddress.Parse(source)),
            Destination = IpAddress.From(IPAddress.Parse(destination)),
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
        };
        return new MapKey(tuple, tuple.Source, interfaceIndex);
    }
}
