using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What a command line says of an entry: to be compared with, made or changed. Only what <see cref="Set"/> names counts.</summary>
internal sealed class EntryTemplate
{
    private FlowTuple _original, _reply;

    internal TemplateFields Set { get; private set; }

    internal ref FlowTuple Original => ref _original;

    internal ref FlowTuple Reply => ref _reply;

    internal uint Timeout { get; private set; }

    internal FlowStatus Status { get; private set; }

    internal uint SecurityMark { get; private set; }

    internal uint Id { get; private set; }

    internal ushort Zone { get; private set; }

    internal ushort OriginalZone { get; private set; }

    internal ushort ReplyZone { get; private set; }

    /// <summary>Of the protocol that the command line names.</summary>
    internal byte State { get; private set; }

    internal byte TcpFlags { get; private set; }

    internal uint SctpOriginalTag { get; private set; }

    internal uint SctpReplyTag { get; private set; }

    internal byte DccpRole { get; private set; }

    internal IpAddress SourceNat { get; private set; }

    internal ushort SourceNatPort { get; private set; }

    internal IpAddress DestinationNat { get; private set; }

    internal ushort DestinationNatPort { get; private set; }

    internal bool Has(TemplateFields fields) => (Set & fields) == fields;

    /// <summary>Sets an address of a tuple, and the tuple's family.</summary>
    internal void SetAddress(TemplateFields field, in IpAddress address, FlowFamily family)
    {
        bool isReply = field is TemplateFields.ReplySource or TemplateFields.ReplyDestination;
        ref FlowTuple tuple = ref isReply ? ref _reply : ref _original;
        (field is TemplateFields.Source or TemplateFields.ReplySource ? ref tuple.Source : ref tuple.Destination) = address;
        tuple.Family = family;
        Set |= field | (isReply ? TemplateFields.ReplyFamily : TemplateFields.OriginalFamily);
    }

    internal void SetProtocol(IpProtocol protocol) => (_original.Protocol, Set) = (protocol, Set | TemplateFields.OriginalProtocol);

    internal void SetReplyProtocol(IpProtocol protocol) => (_reply.Protocol, Set) = (protocol, Set | TemplateFields.ReplyProtocol);

    /// <summary>Sets a port, and its tuple's protocol.</summary>
    internal void SetPort(TemplateFields field, ushort port, IpProtocol protocol)
    {
        bool isReply = field is TemplateFields.ReplySourcePort or TemplateFields.ReplyDestinationPort;
        ref FlowTuple tuple = ref isReply ? ref _reply : ref _original;
        (field is TemplateFields.SourcePort or TemplateFields.ReplySourcePort ? ref tuple.SourcePort : ref tuple.DestinationPort) = port;
        Set |= field;
        if (isReply)
            SetReplyProtocol(protocol);
        else
            SetProtocol(protocol);
    }

    /// <summary>Sets type, code or id, and with it the reply's: the answering type where there is one, by the family that is set.</summary>
    internal void SetIcmp(TemplateFields field, ushort value, IpProtocol protocol)
    {
        Set |= field;
        SetProtocol(protocol);
        if (Has(TemplateFields.ReplyFamily))
            SetReplyProtocol(protocol);
        switch (field)
        {
            case TemplateFields.IcmpId:
                (_original.SourcePort, _reply.SourcePort) = (value, value);
                break;
            case TemplateFields.IcmpCode:
                _original.DestinationPort = (ushort)((_original.DestinationPort & 0xFF00) | (byte)value);
                _reply.DestinationPort = (ushort)((_reply.DestinationPort & 0xFF00) | (byte)value);
                break;
            default:
                byte answer = IcmpAnswers.TypeOf(_original.Family, (byte)value);
                _original.DestinationPort = (ushort)((byte)value << 8 | (byte)_original.DestinationPort);
                _reply.DestinationPort = (ushort)(answer << 8 | (byte)_reply.DestinationPort);
                break;
        }
    }

    internal void SetTimeout(uint seconds) => (Timeout, Set) = (seconds, Set | TemplateFields.Timeout);

    internal void SetStatus(FlowStatus status) => (Status, Set) = (status, Set | TemplateFields.Status);

    internal void SetSecurityMark(uint mark) => (SecurityMark, Set) = (mark, Set | TemplateFields.SecurityMark);

    internal void SetId(uint id) => (Id, Set) = (id, Set | TemplateFields.Id);

    internal void SetZone(ushort zone) => (Zone, Set) = (zone, Set | TemplateFields.Zone);

    internal void SetOriginalZone(ushort zone) => (OriginalZone, Set) = (zone, Set | TemplateFields.OriginalZone);

    internal void SetReplyZone(ushort zone) => (ReplyZone, Set) = (zone, Set | TemplateFields.ReplyZone);

    internal void SetState(byte state) => (State, Set) = (state, Set | TemplateFields.State);

    internal void SetTcpFlags(byte flags) => (TcpFlags, Set) = (flags, Set | TemplateFields.TcpFlags);

    internal void SetSctpTag(TemplateFields field, uint tag)
    {
        Set |= field;
        if (field == TemplateFields.SctpOriginalTag)
            SctpOriginalTag = tag;
        else
            SctpReplyTag = tag;
    }

    internal void SetDccpRole(byte role) => (DccpRole, Set) = (role, Set | TemplateFields.DccpRole);

    /// <summary>Sets where the source is translated to; the family goes to the original tuple.</summary>
    internal void SetSourceNat(in IpAddress address, FlowFamily family, ushort? port)
    {
        (SourceNat, _original.Family) = (address, family);
        Set |= TemplateFields.SourceNat | TemplateFields.OriginalFamily;
        if (port is { } given)
            (SourceNatPort, Set) = (given, Set | TemplateFields.SourceNatPort);
    }

    /// <inheritdoc cref="SetSourceNat"/>
    internal void SetDestinationNat(in IpAddress address, FlowFamily family, ushort? port)
    {
        (DestinationNat, _original.Family) = (address, family);
        Set |= TemplateFields.DestinationNat | TemplateFields.OriginalFamily;
        if (port is { } given)
            (DestinationNatPort, Set) = (given, Set | TemplateFields.DestinationNatPort);
    }

    /// <summary>Makes the one tuple the opposite of the other, as it is without NAT (NFCT_SOPT_SETUP_ORIGINAL, _REPLY).</summary>
    internal void Complete(bool reply)
    {
        ref FlowTuple known = ref reply ? ref _original : ref _reply;
        ref FlowTuple other = ref reply ? ref _reply : ref _original;
        (ushort sourcePort, ushort destinationPort) = (other.SourcePort, other.DestinationPort); // ICMP's are set in both
        other = known;
        (other.Source, other.Destination) = (known.Destination, known.Source);
        (other.SourcePort, other.DestinationPort) =
            known.IsIcmp ? (sourcePort, destinationPort) : (known.DestinationPort, known.SourcePort);
        Set |= TemplateFields.OriginalFamily | TemplateFields.OriginalProtocol | TemplateFields.ReplyTuple & ~TemplateFields.ReplyZone
            | TemplateFields.Source | TemplateFields.Destination | TemplateFields.SourcePort | TemplateFields.DestinationPort;
    }

    /// <summary>All that is set, as a request.</summary>
    internal EntryRequest ToRequest(FlowFamily family) => new()
    {
        Family = family,
        Original = _original,
        Reply = (Set & TemplateFields.ReplyTuple) == TemplateFields.None ? null : _reply,
        Zone = Value(TemplateFields.Zone, Zone),
        OriginalZone = Value(TemplateFields.OriginalZone, OriginalZone),
        ReplyZone = Value(TemplateFields.ReplyZone, ReplyZone),
        Status = Value(TemplateFields.Status, Status),
        Timeout = Value(TemplateFields.Timeout, Timeout),
        SecurityMark = Value(TemplateFields.SecurityMark, SecurityMark),
        ProtocolState = Value(TemplateFields.State, State),
        TcpFlags = Value(TemplateFields.TcpFlags, TcpFlags),
        SctpOriginalTag = Value(TemplateFields.SctpOriginalTag, SctpOriginalTag),
        SctpReplyTag = Value(TemplateFields.SctpReplyTag, SctpReplyTag),
        DccpRole = Value(TemplateFields.DccpRole, DccpRole),
        SourceNat = Target(TemplateFields.SourceNat, SourceNat, TemplateFields.SourceNatPort, SourceNatPort),
        DestinationNat = Target(TemplateFields.DestinationNat, DestinationNat, TemplateFields.DestinationNatPort, DestinationNatPort),
    };

    private T? Value<T>(TemplateFields field, T value)
        where T : struct => Has(field) ? value : null;

    /// <summary>libnetfilter_conntrack sends the port with TCP and UDP alone.</summary>
    private NatTarget? Target(TemplateFields addressField, IpAddress address, TemplateFields portField, ushort port) =>
        (Set & (addressField | portField)) == TemplateFields.None ? null
        : new NatTarget(
            Value(addressField, address), _original.Protocol is IpProtocol.Tcp or IpProtocol.Udp ? Value(portField, port) : null);
}
