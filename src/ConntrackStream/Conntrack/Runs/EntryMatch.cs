using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Conntrack.Syntax;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>Whether an entry is one that the command line means, as libnetfilter_conntrack 1.0.9 compares them.</summary>
internal sealed class EntryMatch
{
    private readonly ConntrackJob _job;
    private readonly EntryTemplate _template;
    private readonly FlowStatus _excluded;

    /// <exception cref="ConntrackFault">A mask without its address.</exception>
    internal EntryMatch(ConntrackJob job)
    {
        bool isWhole = job.List == EntryList.Conntrack; // with the other lists the tool does not look
        if (isWhole && job.Has(Given.MaskSource) && !job.Has(Given.Source))
            throw ConntrackFault.Usage("Can't use --mask-src without --src");
        if (isWhole && job.Has(Given.MaskDestination) && !job.Has(Given.Destination))
            throw ConntrackFault.Usage("Can't use --mask-dst without --dst");
        _job = job;
        _template = job.Template;
        _excluded = (FlowStatus)(job.KernelStatus is { } status ? status.Mask & ~status.Value : 0);
    }

    /// <summary>For the commands that show or delete.</summary>
    internal bool Matches(in Flow flow) =>
        MatchesNat(in flow) && (!_job.Has(Given.Mark) || (flow.Has(FlowFields.Mark) && (flow.Mark & _job.Mark.Mask) == _job.Mark.Value))
        && MatchesLabels(in flow) && MatchesNetworks(in flow)
        && (!_job.Has(Given.Comparison) || (MatchesMeta(in flow) && MatchesOriginal(in flow) && MatchesReply(in flow)));

    /// <summary>For an update: mark, status, state and timeout are what to set.</summary>
    internal bool MatchesForUpdate(in Flow flow) =>
        MatchesNat(in flow) && MatchesLabels(in flow) && MatchesNetworks(in flow)
        && (!_template.Has(TemplateFields.Id) || _template.Id == flow.Id)
        && (!_job.Has(Given.Original | Given.Protocol) || MatchesOriginal(in flow))
        && (!_job.Has(Given.Reply | Given.Protocol) || MatchesReply(in flow));

    private bool MatchesMeta(in Flow flow) =>
        (!_template.Has(TemplateFields.Id) || (flow.Has(FlowFields.Id) && _template.Id == flow.Id))
        && !_template.Has(TemplateFields.Timeout) // which the library compares with neither equal nor other
        && (!_template.Has(TemplateFields.Status)
            || (flow.Has(FlowFields.Status) && (flow.Status & _template.Status) == _template.Status
                && (flow.Status & _excluded) == FlowStatus.None))
        && (!_template.Has(TemplateFields.State) || (flow.Has(FlowFields.ProtocolState) && _template.State == flow.ProtocolState))
        && MatchesZones(in flow);

    /// <summary>A zone of both directions is in neither of them, and one of a single direction not in both.</summary>
    private bool MatchesZones(in Flow flow)
    {
        bool oneZone = flow.Original.Zone == flow.Reply.Zone || !flow.Has(FlowFields.Reply);
        return (!_template.Has(TemplateFields.Zone) || _template.Zone == (oneZone ? flow.Original.Zone : 0))
            && (!_template.Has(TemplateFields.OriginalZone) || _template.OriginalZone == (oneZone ? 0 : flow.Original.Zone))
            && (!_template.Has(TemplateFields.ReplyZone) || _template.ReplyZone == (oneZone ? 0 : flow.Reply.Zone));
    }

    private bool MatchesOriginal(in Flow flow) =>
        (!_template.Has(TemplateFields.OriginalFamily) || _template.Original.Family == flow.Original.Family)
        && (!_template.Has(TemplateFields.OriginalProtocol) || _template.Original.Protocol == flow.Original.Protocol)
        && (!_template.Has(TemplateFields.Source) || _job.Has(Given.MaskSource) || _template.Original.Source == flow.Original.Source)
        && (!_template.Has(TemplateFields.Destination) || _job.Has(Given.MaskDestination)
            || _template.Original.Destination == flow.Original.Destination)
        && (!_template.Has(TemplateFields.SourcePort) || _template.Original.SourcePort == flow.Original.SourcePort)
        && (!_template.Has(TemplateFields.DestinationPort) || _template.Original.DestinationPort == flow.Original.DestinationPort)
        && MatchesIcmp(in flow);

    private bool MatchesIcmp(in Flow flow) =>
        (!_template.Has(TemplateFields.IcmpType) || _template.Original.IcmpType == flow.Original.IcmpType)
        && (!_template.Has(TemplateFields.IcmpCode) || _template.Original.IcmpCode == flow.Original.IcmpCode)
        && (!_template.Has(TemplateFields.IcmpId) || _template.Original.IcmpId == flow.Original.IcmpId);

    private bool MatchesReply(in Flow flow)
    {
        if ((_template.Set & TemplateFields.ReplyTuple) == TemplateFields.None)
            return true;
        return flow.Has(FlowFields.Reply)
            && (!_template.Has(TemplateFields.ReplyFamily) || _template.Reply.Family == flow.Reply.Family)
            && (!_template.Has(TemplateFields.ReplyProtocol) || _template.Reply.Protocol == flow.Reply.Protocol)
            && (!_template.Has(TemplateFields.ReplySource) || _template.Reply.Source == flow.Reply.Source)
            && (!_template.Has(TemplateFields.ReplyDestination) || _template.Reply.Destination == flow.Reply.Destination)
            && (!_template.Has(TemplateFields.ReplySourcePort) || _template.Reply.SourcePort == flow.Reply.SourcePort)
            && (!_template.Has(TemplateFields.ReplyDestinationPort) || _template.Reply.DestinationPort == flow.Reply.DestinationPort);
    }

    private bool MatchesLabels(in Flow flow) =>
        _job.Labels is not { } labels
        || (!labels.HasMore && flow.Extras is { HasLabels: true } extras && (extras.Labels & labels.Bits) == labels.Bits);

    private bool MatchesNetworks(in Flow flow) =>
        (!_job.Has(Given.MaskSource) || (_job.Has(Given.Source)
            && IsIn(flow.Original.Source, flow.Original.Family, _template.Original.Source, _job.Mask.Original.Source)))
        && (!_job.Has(Given.MaskDestination) || (_job.Has(Given.Destination) && IsIn(
            flow.Original.Destination, flow.Original.Family, _template.Original.Destination, _job.Mask.Original.Destination)));

    private bool IsIn(in IpAddress address, FlowFamily family, in IpAddress network, in IpAddress mask) =>
        family == _job.Family && ((address.High ^ network.High) & mask.High) == 0 && ((address.Low ^ network.Low) & mask.Low) == 0;

    private bool MatchesNat(in Flow flow)
    {
        bool isAny = _job.Has(Given.AnyNat);
        bool source = (isAny || _job.Has(Given.SourceNat)) && IsSourceNat(in flow);
        bool destination = (isAny || _job.Has(Given.DestinationNat)) && IsDestinationNat(in flow);
        return isAny ? source || destination
            : (!_job.Has(Given.SourceNat) || source) && (!_job.Has(Given.DestinationNat) || destination);
    }

    private bool IsSourceNat(in Flow flow) => IsTranslated(
        flow.IsSourceTranslated(), flow.IsSourcePortTranslated(), TemplateFields.SourceNat,
        _template.SourceNat == flow.Reply.Destination, TemplateFields.SourceNatPort, _template.SourceNatPort == flow.Reply.DestinationPort);

    private bool IsDestinationNat(in Flow flow) => IsTranslated(
        flow.IsDestinationTranslated(), flow.IsDestinationPortTranslated(), TemplateFields.DestinationNat,
        _template.DestinationNat == flow.Reply.Source, TemplateFields.DestinationNatPort,
        _template.DestinationNatPort == flow.Reply.SourcePort);

    /// <summary>Address and port must be those that are given, and be translated; with neither, one translation is enough.</summary>
    private bool IsTranslated(
        bool isAddress, bool isPort, TemplateFields addressField, bool isGivenAddress, TemplateFields portField, bool isGivenPort)
    {
        bool asksAddress = _template.Has(addressField), asksPort = _template.Has(portField);
        return asksAddress || asksPort
            ? (!asksAddress || (isAddress && isGivenAddress)) && (!asksPort || (isPort && isGivenPort))
            : isAddress || isPort;
    }
}
