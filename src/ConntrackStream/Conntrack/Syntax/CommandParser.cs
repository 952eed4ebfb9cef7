using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>Reads one command line of conntrack 1.4.7.</summary>
internal sealed partial class CommandParser
{
    internal const string Letters = "L::I::U::D::G::E::F::A::hVs:d:r:q:p:t:u:e:a:z[:]:{:}:m:i:f:o:n::g::c:b:C::Sj::w:l:<:>::(:):";

    private readonly ConntrackSession _session;
    private readonly List<LongOption> _longOptions = [.. LongOption.General];
    private readonly OptionReader _reader;

    private readonly EntryTemplate _template = new(), _mask = new(), _expected = new();
    private Given _given;
    private CommandKind _command = CommandKind.None;
    private EntryList _list;
    private FlowFamily _family;
    private uint _status, _statusMask, _events;
    private uint _protocolGiven; // bits of the protocol's options
    private long _bufferBytes;
    private BitMatch _mark;

    private CommandParser(string[] words, ConntrackSession session, bool inOrder)
    {
        _session = session;
        _reader = new OptionReader(words, Letters, _longOptions, inOrder);
    }

    /// <param name="arguments">Without the program's name.</param>
    /// <param name="inOrder">POSIXLY_CORRECT.</param>
    /// <exception cref="ConntrackFault">Something is wrong with it.</exception>
    internal static ConntrackJob Parse(IEnumerable<string> arguments, ConntrackSession session, bool inOrder = false) =>
        new CommandParser([session.Name, .. arguments], session, inOrder).Read();

    private ConntrackJob Read()
    {
        int option;
        while ((option = _reader.Next()) != OptionReader.End)
            Take(option);

        if (_family == FlowFamily.Unspecified && !KnowsBothFamilies(_command))
            _family = FlowFamily.IPv4;
        if (Has(Given.AnyNat) && Has(Given.SourceNat | Given.DestinationNat))
            throw ConntrackFault.Usage("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
        LegalOptions.General.Check((uint)_given, _command);
        if (_command != CommandKind.Help)
            _session.Protocol?.Legal?.Check(_protocolGiven, _command);
        if (_command != CommandKind.Help && _session.Protocol?.Number == IpProtocol.Tcp)
            SetTcpFlags();
        return new ConntrackJob
        {
            Command = _command,
            Given = _given,
            List = _list,
            Family = _family,
            Protocol = Has(Given.Protocol) ? _session.Protocol : null,
            Events = Has(Given.EventMask) ? _events : 0b111,
            BufferBytes = _bufferBytes,
            Template = _template,
            Mask = _mask,
            Expected = _expected,
            Mark = _mark,
            KernelStatus = Has(Given.Status) ? new BitMatch(_status, _statusMask) : null,
            Labels = _labels,
            ChangedLabels = _changedLabels,
        };
    }

    private static bool KnowsBothFamilies(CommandKind command) => command is CommandKind.List or CommandKind.Update or CommandKind.Delete
        or CommandKind.Get or CommandKind.Flush or CommandKind.Event;

    private bool Has(Given options) => (_given & options) != Given.None;

    private void Take(int option)
    {
        switch (option)
        {
            case 'L' or 'I' or 'D' or 'G' or 'F' or 'E' or 'V' or 'h' or 'C' or 'S' or 'U' or 'A':
                TakeCommand((char)option);
                break;
            case 's' or 'd' or 'r' or 'q' or '[' or ']' or '{' or '}':
                TakeAddress((char)option);
                break;
            case 'n' or 'g' or 'j':
                TakeNat((char)option);
                break;
            case 'l' or '<' or '>':
                TakeLabel((char)option);
                break;
            case 'p':
                TakeProtocol();
                break;
            case 'f':
                TakeFamily();
                break;
            case 'u':
                TakeStatus();
                break;
            case 'o':
                TakeOutput();
                break;
            case OptionReader.Missing:
                throw ConntrackFault.Usage($"option `{_reader.LastWord}' requires an argument");
            case OptionReader.Unknown:
                throw ConntrackFault.Usage($"unknown option `{_reader.LastWord}'");
            case >= LongOption.OfProtocol:
                TakeOfProtocol(option);
                break;
            default:
                TakeValue((char)option);
                break;
        }
    }

    private void TakeValue(char option)
    {
        string value = _reader.Value ?? "";
        switch (option)
        {
            case 't':
                _given |= Given.Timeout;
                _template.SetTimeout((uint)CNumber.ParseDecimal(value));
                break;
            case 'e':
                _given |= Given.EventMask;
                WordList.Events.Read(value, _session.Error, ref _events);
                break;
            case 'z':
                _given |= Given.Zero;
                break;
            case 'm':
                _given |= Given.Mark;
                TakeMark(value);
                break;
            case 'w':
                _given |= Given.Zone;
                _template.SetZone((ushort)CNumber.ParseUInt32(value));
                break;
            case '(':
                _given |= Given.OriginalZone;
                _template.SetOriginalZone((ushort)CNumber.ParseUInt32(value));
                break;
            case ')':
                _given |= Given.ReplyZone;
                _template.SetReplyZone((ushort)CNumber.ParseUInt32(value));
                break;
            case 'i':
                _given |= Given.Id;
                _template.SetId(CNumber.ParseUInt32(value));
                break;
            case 'c':
                _given |= Given.SecurityMark;
                _template.SetSecurityMark(CNumber.ParseUInt32(value));
                break;
            case 'b':
                _given |= Given.BufferSize;
                _bufferBytes = CNumber.ParseDecimal(value);
                break;
            default: // a
                _session.Error.WriteLine($"WARNING: ignoring -{option}, deprecated option.");
                break;
        }
    }

    private void TakeMark(string value)
    {
        uint mark = (uint)CNumber.ParseUnsigned(value, out string rest);
        _mark = new BitMatch(mark, rest.StartsWith('/') ? CNumber.ParseUInt32(rest[1..]) : uint.MaxValue);
    }

    private void TakeStatus()
    {
        _given |= Given.Status;
        WordList.Status.Read(_reader.Value!, _session.Error, ref _status, ref _statusMask);
        _template.SetStatus((FlowStatus)_status);
        if (_statusMask == 0)
            _statusMask = _status;
    }

    private void TakeOutput()
    {
        const OutputTypes Others = ~OutputTypes.Save;
        _given |= Given.Output;
        uint types = (uint)_session.Output;
        WordList.Output.Read(_reader.Value!, _session.Error, ref types);
        _session.Output = (OutputTypes)types;
        if ((_session.Output & OutputTypes.Labels) != OutputTypes.None)
            _session.LoadLabels();
        if ((_session.Output & OutputTypes.Save) != OutputTypes.None && (_session.Output & Others) != OutputTypes.None)
            throw new ConntrackFault(
                ConntrackFault.Other, "cannot combine save output with any other output type, use -o save only");
    }

    private void TakeFamily()
    {
        _given |= Given.Family;
        string value = _reader.Value!;
        foreach (FlowFamily family in (ReadOnlySpan<FlowFamily>)[FlowFamily.IPv4, FlowFamily.IPv6])
        {
            if (!value.StartsWith(family.Name(), StringComparison.Ordinal))
                continue;
            SetFamily(family);
            return;
        }

        throw ConntrackFault.Usage($"`{value}' unsupported protocol");
    }

    private void SetFamily(FlowFamily family)
    {
        if (_family != FlowFamily.Unspecified && _family != family)
            throw ConntrackFault.Usage("mismatched address family");
        _family = family;
    }
}
