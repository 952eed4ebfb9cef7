using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>What a set holds, as last read, and how a flow is looked up in it. Guarded by the classifier's gate.</summary>
internal abstract class SetContent
{
    /// <summary>The set's type as its tool names it, such as <c>hash:ip,port</c> or <c>ipv4_addr . inet_service</c>.</summary>
    internal abstract string Type { get; }

    /// <summary>Dimensions of the type: directions that a rule needs.</summary>
    internal abstract int Dimensions { get; }

    /// <summary>Members, those included that have expired since.</summary>
    internal abstract int Count { get; }

    /// <summary>Whether a flow matches, as the kernel would say of its packets.</summary>
    /// <param name="deadline">Of the member that matches, as <see cref="SetClock"/> counts; 0: none.</param>
    internal abstract bool Find(in FlowQuestion question, SetDirections directions, uint now, out uint deadline);
}
