using System.Buffers.Binary;
using System.Text;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

internal sealed partial class CommandParser
{
    private const byte CloseInit = 0x04, SackPermitted = 0x02, BeLiberal = 0x08; // IP_CT_TCP_FLAG_*

    private int _namedProtocols;

    private void TakeProtocol()
    {
        _given |= Given.Protocol;
        ProtocolSyntax protocol = ProtocolNames.Find(_reader.Value!)
            ?? throw ConntrackFault.Usage($"`{_reader.Value}' unsupported protocol");
        _session.Protocol = protocol;
        _namedProtocols++; // options of one that was named before keep their values, so that a shortened name may be ambiguous
        _longOptions.InsertRange(0, protocol.LongNames.Select(
            option => LongOption.Required(option.Name, (LongOption.OfProtocol * _namedProtocols) + (int)option.Option)));
        _template.SetProtocol(protocol.Number);
    }

    private void TakeOfProtocol(int number)
    {
        ProtocolOption option = (ProtocolOption)(number % LongOption.OfProtocol);
        ProtocolSyntax protocol = _session.Protocol!;
        if (number / LongOption.OfProtocol != _namedProtocols) // of a protocol that was named before this one
            return;
        _protocolGiven |= 1u << Array.IndexOf(protocol.Options, option);
        string value = _reader.Value!;
        switch (option)
        {
            case ProtocolOption.State:
                _template.SetState(ReadState(protocol.Number, value));
                break;
            case ProtocolOption.Role:
                _template.SetDccpRole(ReadRole(value));
                break;
            case ProtocolOption.OriginalTag:
                _template.SetSctpTag(TemplateFields.SctpOriginalTag, ReadTag(value));
                break;
            case ProtocolOption.ReplyTag:
                _template.SetSctpTag(TemplateFields.SctpReplyTag, ReadTag(value));
                break;
            case ProtocolOption.IcmpType or ProtocolOption.IcmpCode or ProtocolOption.IcmpId:
                TakeIcmp(option, (ushort)CNumber.ParseDecimal(value), protocol.Number);
                break;
            default:
                TakePort(option, value, protocol.Number);
                break;
        }
    }

    private void TakeIcmp(ProtocolOption option, ushort value, IpProtocol protocol) => _template.SetIcmp(
        option switch
        {
            ProtocolOption.IcmpType => TemplateFields.IcmpType,
            ProtocolOption.IcmpCode => TemplateFields.IcmpCode,
            _ => TemplateFields.IcmpId,
        },
        value,
        protocol);

    private void TakePort(ProtocolOption option, string value, IpProtocol protocol)
    {
        (EntryTemplate template, TemplateFields field) = option switch
        {
            ProtocolOption.SourcePort => (_template, TemplateFields.SourcePort),
            ProtocolOption.DestinationPort => (_template, TemplateFields.DestinationPort),
            ProtocolOption.ReplySourcePort => (_template, TemplateFields.ReplySourcePort),
            ProtocolOption.ReplyDestinationPort => (_template, TemplateFields.ReplyDestinationPort),
            ProtocolOption.MaskSourcePort => (_mask, TemplateFields.SourcePort),
            ProtocolOption.MaskDestinationPort => (_mask, TemplateFields.DestinationPort),
            ProtocolOption.TupleSourcePort => (_expected, TemplateFields.SourcePort),
            _ => (_expected, TemplateFields.DestinationPort),
        };
        ushort port = protocol == IpProtocol.Gre ? (ushort)CNumber.ParseUInt32(value) : (ushort)CNumber.ParseDecimal(value);
        template.SetPort(field, port, protocol);
    }

    private static byte ReadState(IpProtocol protocol, string value)
    {
        if (protocol == IpProtocol.Tcp && value == "LISTEN") // the name that the number of SYN_SENT2 had before 2.6.31
            return (byte)TcpState.SynSent2;
        if (StateNames.TryParse(protocol, Encoding.UTF8.GetBytes(value), out byte state)
            && (protocol != IpProtocol.Sctp || state <= (byte)SctpState.ShutdownAckSent))
            return state;
        throw ConntrackFault.Usage(
            $"{(protocol == IpProtocol.Dccp ? "Unknown" : "unknown")} {protocol.Name().ToUpperInvariant()} state `{value}'");
    }

    /// <summary>conntrack sends a tag with its bytes reversed, and shows it so: what it shows, it makes again.</summary>
    private static uint ReadTag(string value) => BinaryPrimitives.ReverseEndianness((uint)CNumber.ParseDecimal(value));

    private static byte ReadRole(string value) => "client".StartsWith(value, StringComparison.OrdinalIgnoreCase) ? (byte)0
        : "server".StartsWith(value, StringComparison.OrdinalIgnoreCase) ? (byte)1
        : throw ConntrackFault.Usage($"Unknown DCCP role `{value}'");

    /// <summary>Window tracking knows nothing of an entry made by request, so it must not judge.</summary>
    private void SetTcpFlags() => _template.SetTcpFlags((byte)(BeLiberal | SackPermitted
        | (_template.Has(TemplateFields.State) && _template.State >= (byte)TcpState.TimeWait ? CloseInit : 0)));
}
