using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>A filter in user space; the same that the kernel applies to events, for rows of a dump.</summary>
public delegate bool FlowPredicate(in Flow flow);
