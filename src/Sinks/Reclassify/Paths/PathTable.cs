using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// The uplinks, and which of them a flow is on. The list never changes; the addresses of the paths' devices do, and are looked up through
/// <see cref="Follow"/>'s reader. From any thread.
/// </summary>
public sealed class PathTable
{
    private readonly UplinkPath[] _paths;
    private readonly Dictionary<string, UplinkPath> _byName;
    private readonly (uint Value, uint Mask, UplinkPath Path)[] _marks;
    private readonly PathSources _configured; // without the devices' addresses
    private readonly SourceTranslation _translation;
    private readonly SourceUse _use = new();
    private DeviceAddresses? _devices;

    private PathTable(UplinkPath[] paths)
    {
        _paths = paths;
        _byName = paths.ToDictionary(path => path.Name, StringComparer.Ordinal);
        _marks = [.. paths.Where(path => path.Mark is not null).Select(path => (path.Mark!.Value.Value, path.Mark.Value.Mask, path))];
        _configured = new PathSources(paths, _ => []);
        _translation = new SourceTranslation(paths);
    }

    /// <summary>In the order of the configuration.</summary>
    public IReadOnlyList<UplinkPath> Paths => _paths;

    /// <summary>Refuses names that occur twice, and marks that are no marks or could mean two paths at once.</summary>
    public static bool TryCreate(
        IEnumerable<UplinkPath> paths, [NotNullWhen(true)] out PathTable? table, [NotNullWhen(false)] out string? error)
    {
        UplinkPath[] all = [.. paths];
        table = null;
        for (int i = 0; i < all.Length; i++)
        {
            error = Problem(all[i]);
            for (int j = 0; j < i; j++)
                error ??= Conflict(all[j], all[i]);
            if (error is not null)
                return false;
        }

        table = new PathTable(all);
        error = null;
        return true;
    }

    /// <summary>From now on the current addresses of the paths' devices tell paths, too.</summary>
    /// <param name="questions">Where to read them; the caller's to dispose, after the last use of this table.</param>
    /// <param name="time">Its age decides when they are read again.</param>
    /// <param name="logger">Told once when they cannot be read, and once when they can be again.</param>
    /// <exception cref="EventTap.Netlink.NetlinkException">They cannot be read at all.</exception>
    public void Follow(RouteQuestions questions, TimeProvider time, ILogger logger) =>
        _devices = new DeviceAddresses(_paths, questions, time, logger);

    /// <summary>The path of that name.</summary>
    public UplinkPath? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>
    /// The path a flow is on: if its source is translated, the one whose address it was translated to (the mark may have been changed
    /// since, or routing may have passed over it); else, or where that address is no path's, by its mark; else, where the gateway itself is
    /// its source, by the path whose address that is. Does not allocate, but when the devices' addresses are read again, at most once a
    /// second, and for the first flow of a network.
    /// </summary>
    public PathAnswer Of(in Flow flow)
    {
        bool isTranslated = flow.Has(FlowFields.BothTuples) && flow.Reply.Destination != flow.Original.Source;
        PathAnswer answer = isTranslated ? OfSource(flow, isTranslated) : default;
        if (answer.Path is null)
            answer = OfMark(flow.Mark);
        if (answer.Path is null && !isTranslated && flow.Has(FlowFields.BothTuples))
            answer = OfSource(flow, isTranslated);
        if (answer.Path is not null && isTranslated)
            _translation.Note(answer.Path, flow.Original);
        else if (answer.Path is not null && flow.Has(FlowFields.BothTuples))
            _use.Note(answer.Path, flow);
        return answer;
    }

    /// <summary>Whether the flow's source, which is not translated now, would be if the flow had begun on another path.</summary>
    internal bool Translates(in Flow flow, UplinkPath now, UplinkPath wanted) => _translation.IsExpected(flow.Original, now, wanted);

    /// <summary>Whether untranslated flows of this one's network are known to be answered on another path.</summary>
    /// <exception cref="EventTap.Netlink.NetlinkException">The kernel could not be asked about one of them.</exception>
    internal bool IsSourceUsed(in Flow flow, UplinkPath wanted, FlowReader read) => _use.IsUsed(flow.Original, wanted, read);

    private PathAnswer OfSource(in Flow flow, bool isTranslated)
    {
        PathSources sources = _devices?.Current() ?? _configured;
        UplinkPath? path = isTranslated
            ? sources.Find(flow.Reply.Family, flow.Reply.Destination)
            // a prefix may have hosts of its own, which are not translated
            : sources.FindAddress(flow.Reply.Family, flow.Reply.Destination);
        return path is null ? default : new PathAnswer(path, PathEvidence.SourceAddress);
    }

    private PathAnswer OfMark(uint mark)
    {
        foreach (ref readonly (uint Value, uint Mask, UplinkPath Path) known in _marks.AsSpan())
        {
            if ((mark & known.Mask) == known.Value)
                return new PathAnswer(known.Path, PathEvidence.Mark);
        }

        return default;
    }

    private static string? Problem(UplinkPath path)
    {
        if (path.Mark is not { } mark)
            return null;
        if ((mark.Value & ~mark.Mask) != 0)
            return $"path {path.Name}: mark {mark} has bits outside its mask, so that no flow can carry it";
        return mark.Value == 0
            ? $"path {path.Name}: mark {mark} is what flows without a mark have; a path's mark must have a bit set"
            : null;
    }

    private static string? Conflict(UplinkPath first, UplinkPath second)
    {
        if (first.Name == second.Name)
            return $"path {first.Name} occurs twice";
        bool canBoth = first.Mark is { } a && second.Mark is { } b && ((a.Value ^ b.Value) & a.Mask & b.Mask) == 0;
        return canBoth
            ? $"one mark could mean path {first.Name} ({first.Mark}) and path {second.Name} ({second.Mark}); "
                + "give them values that differ under both masks"
            : null;
    }
}
