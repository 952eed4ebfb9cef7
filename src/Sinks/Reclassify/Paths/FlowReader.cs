using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>Reads the entry with this tuple; false when there is none.</summary>
internal delegate bool FlowReader(in FlowTuple tuple, ref Flow flow);
