using System.Collections.Immutable;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>
/// Which flows are meant; immutable. Every condition that is given must hold, and one of its alternatives is enough.
/// The same for the tap, the command line and sinks, named as in conntrack-tools.
/// </summary>
public sealed partial record FlowFilter
{
    private Conditions _given;

    /// <summary>No condition: matches every flow.</summary>
    public static FlowFilter All { get; } = new();

    /// <summary><see cref="FlowFamily.Unspecified"/> for both.</summary>
    public FlowFamily Family { get; init => field = Given(Conditions.Family, value, value != FlowFamily.Unspecified); }

    /// <summary>Protocols of layer 4.</summary>
    public ImmutableArray<IpProtocol> Protocols { get; init => field = Given(Conditions.Protocol, value, !value.IsEmpty); } = [];

    /// <summary>Blocks of the original tuple's source, as <c>conntrack -s</c>.</summary>
    public ImmutableArray<IpPrefix> Sources { get; init => field = Given(Conditions.Source, value, !value.IsEmpty); } = [];

    /// <summary>Blocks of the original tuple's destination, as <c>conntrack -d</c>.</summary>
    public ImmutableArray<IpPrefix> Destinations { get; init => field = Given(Conditions.Destination, value, !value.IsEmpty); } = [];

    /// <summary>Blocks of the reply tuple's source, as <c>conntrack -r</c>: what the destination became.</summary>
    public ImmutableArray<IpPrefix> ReplySources { get; init => field = Given(Conditions.ReplySource, value, !value.IsEmpty); } = [];

    /// <summary>Blocks of the reply tuple's destination, as <c>conntrack -q</c>: what the source became.</summary>
    public ImmutableArray<IpPrefix> ReplyDestinations
    {
        get;
        init => field = Given(Conditions.ReplyDestination, value, !value.IsEmpty);
    } = [];

    /// <summary>Blocks for any of the four ends: source or destination of the original or of the reply tuple.</summary>
    public ImmutableArray<IpPrefix> Addresses { get; init => field = Given(Conditions.Address, value, !value.IsEmpty); } = [];

    /// <summary>
    /// Original source ports, or GRE's keys; a flow that has neither (ICMP, ESP, …) never matches, not even 0.
    /// </summary>
    public ImmutableArray<PortRange> SourcePorts { get; init => field = Given(Conditions.SourcePort, value, !value.IsEmpty); } = [];

    /// <summary>Original destination ports; see <see cref="SourcePorts"/>.</summary>
    public ImmutableArray<PortRange> DestinationPorts
    {
        get;
        init => field = Given(Conditions.DestinationPort, value, !value.IsEmpty);
    } = [];

    /// <summary>The reply tuple's source ports; see <see cref="SourcePorts"/>.</summary>
    public ImmutableArray<PortRange> ReplySourcePorts
    {
        get;
        init => field = Given(Conditions.ReplySourcePort, value, !value.IsEmpty);
    } = [];

    /// <summary>The reply tuple's destination ports; see <see cref="SourcePorts"/>.</summary>
    public ImmutableArray<PortRange> ReplyDestinationPorts
    {
        get;
        init => field = Given(Conditions.ReplyDestinationPort, value, !value.IsEmpty);
    } = [];

    /// <summary>Types of ICMP and ICMPv6, of the flow's first packet.</summary>
    public ImmutableArray<byte> IcmpTypes { get; init => field = Given(Conditions.IcmpType, value, !value.IsEmpty); } = [];

    /// <summary>Codes of ICMP and ICMPv6.</summary>
    public ImmutableArray<byte> IcmpCodes { get; init => field = Given(Conditions.IcmpCode, value, !value.IsEmpty); } = [];

    /// <summary>Ids of ICMP and ICMPv6.</summary>
    public ImmutableArray<ushort> IcmpIds { get; init => field = Given(Conditions.IcmpId, value, !value.IsEmpty); } = [];

    /// <summary>Zones of either direction; a flow without a zone is in zone 0.</summary>
    public ImmutableArray<ushort> Zones { get; init => field = Given(Conditions.Zone, value, !value.IsEmpty); } = [];

    /// <summary>
    /// Zones of the original direction alone, as <c>conntrack --orig-zone</c>: a flow with the same zone in both directions never matches.
    /// </summary>
    public ImmutableArray<ushort> OriginalZones { get; init => field = Given(Conditions.OriginalZone, value, !value.IsEmpty); } = [];

    /// <summary>Zones of the reply direction alone; see <see cref="OriginalZones"/>.</summary>
    public ImmutableArray<ushort> ReplyZones { get; init => field = Given(Conditions.ReplyZone, value, !value.IsEmpty); } = [];

    /// <summary>Which translation the flow has; with both tuples known.</summary>
    public NatMatch Nat { get; init => field = Given(Conditions.Nat, value, value != NatMatch.Ignore); }

    /// <summary>What <see cref="Nat"/> asks for of a source: it became one of these. Empty: anything else than it was.</summary>
    public ImmutableArray<NatEnd> SourceTargets { get; init; } = [];

    /// <summary>What <see cref="Nat"/> asks for of a destination; see <see cref="SourceTargets"/>.</summary>
    public ImmutableArray<NatEnd> DestinationTargets { get; init; } = [];

    /// <summary>CTA_ID of the entry; the kernel uses ids again.</summary>
    public ImmutableArray<uint> Ids { get; init => field = Given(Conditions.Id, value, !value.IsEmpty); } = [];

    /// <summary>A mark the kernel left out is 0: it sends none that is zero.</summary>
    public ImmutableArray<MarkRange> Marks { get; init => field = Given(Conditions.Mark, value, !value.IsEmpty); } = [];

    /// <summary>Only flows of TCP, SCTP or DCCP whose state is known and one of these.</summary>
    public StateMatch? States { get; init => field = Given(Conditions.State, value, value is not null); }

    /// <summary>Only flows whose status is known.</summary>
    public StatusMatch? Status { get; init => field = Given(Conditions.Status, value, value is not null); }

    /// <summary>Label bits that the flow must have, all of them; bit 0 lowest.</summary>
    public UInt128 Labels { get; init => field = Given(Conditions.Label, value, value != UInt128.Zero); }

    /// <summary>Security contexts (CTA_SECCTX_NAME), each whole.</summary>
    public ImmutableArray<string> SecurityContexts { get; init => field = Given(Conditions.Security, value, !value.IsEmpty); } = [];

    /// <summary>SCTP verification tags of the original direction.</summary>
    public ImmutableArray<uint> OriginalTags { get; init => field = Given(Conditions.OriginalTag, value, !value.IsEmpty); } = [];

    /// <summary>SCTP verification tags of the reply direction.</summary>
    public ImmutableArray<uint> ReplyTags { get; init => field = Given(Conditions.ReplyTag, value, !value.IsEmpty); } = [];

    /// <summary>DCCP role of the original direction's sender: 0 client, 1 server.</summary>
    public byte? DccpRole { get; init => field = Given(Conditions.Role, value, value is not null); }

    /// <summary>Filters of which one must match, besides all other conditions. Empty: no condition.</summary>
    public ImmutableArray<FlowFilter> AnyOf
    {
        get;
        init
        {
            field = Given(Conditions.AnyOf, value, !value.IsEmpty);
            Given(Conditions.ChangingAlternative, value, value.Any(static alternative => !alternative.IsStable));
        }
    } = [];

    /// <summary>Matches every flow.</summary>
    public bool IsEmpty => _given == Conditions.None;

    /// <summary>
    /// No condition can change its answer in a flow's life: there is none on mark, state, status, labels, security context, SCTP tags or
    /// DCCP role.
    /// </summary>
    public bool IsStable => !Has(Conditions.Changing | Conditions.ChangingAlternative);

    /// <summary>
    /// The conditions that hold for a whole life or not at all. Whoever follows flows from NEW to DESTROY filters by these only, else a
    /// flow could match at its start and not at its end.
    /// </summary>
    public FlowFilter Stable => IsStable
        ? this
        : this with
        {
            Marks = [],
            States = null,
            Status = null,
            Labels = UInt128.Zero,
            SecurityContexts = [],
            OriginalTags = [],
            ReplyTags = [],
            DccpRole = null,
            AnyOf = AnyOf.Any(static alternative => alternative.Stable.IsEmpty)
                ? []
                : [.. AnyOf.Select(static alternative => alternative.Stable)],
        };

    /// <summary>The kernel can judge some of it on the event socket (<see cref="KernelFilter"/>).</summary>
    internal bool HasKernelConditions => Has(Conditions.OfKernel) || HasKernelAlternatives;

    /// <summary>It can judge some of each alternative.</summary>
    internal bool HasKernelAlternatives =>
        !AnyOf.IsEmpty && AnyOf.All(static alternative => alternative.Has(Conditions.OfKernel));

    private bool Has(Conditions any) => (_given & any) != Conditions.None;

    private T Given<T>(Conditions condition, T value, bool isGiven)
    {
        _given = isGiven ? _given | condition : _given & ~condition;
        return value;
    }

    /// <summary>Which conditions are given: a flow is compared with these alone.</summary>
    [Flags]
    private enum Conditions : uint
    {
        None = 0,
        Family = 1 << 0,
        Protocol = 1 << 1,
        Source = 1 << 2,
        Destination = 1 << 3,
        SourcePort = 1 << 4,
        DestinationPort = 1 << 5,
        ReplySource = 1 << 6,
        ReplyDestination = 1 << 7,
        ReplySourcePort = 1 << 8,
        ReplyDestinationPort = 1 << 9,
        IcmpType = 1 << 10,
        IcmpCode = 1 << 11,
        IcmpId = 1 << 12,
        Address = 1 << 13,
        Zone = 1 << 14,
        OriginalZone = 1 << 15,
        ReplyZone = 1 << 16,
        Nat = 1 << 17,
        Id = 1 << 18,
        AnyOf = 1 << 19,
        ChangingAlternative = 1 << 20,
        Mark = 1 << 21,
        State = 1 << 22,
        Status = 1 << 23,
        Label = 1 << 24,
        Security = 1 << 25,
        OriginalTag = 1 << 26,
        ReplyTag = 1 << 27,
        Role = 1 << 28,

        Ports = SourcePort | DestinationPort,
        Reply = ReplySource | ReplyDestination | ReplySourcePort | ReplyDestinationPort,
        Icmp = IcmpType | IcmpCode | IcmpId,
        AnyZone = Zone | OriginalZone | ReplyZone,
        Changing = Mark | State | Status | Label | Security | OriginalTag | ReplyTag | Role,
        OfKernel = Family | Protocol | Source | Destination | Ports | Reply | Address | Zone,
    }
}
