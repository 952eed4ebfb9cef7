namespace ConntrackStream.Pipeline.Configuration;

/// <summary>The configuration cannot be used; every fault found is told, one a line.</summary>
public sealed class ConfigurationException(IReadOnlyList<string> faults) : Exception(string.Join('\n', faults))
{
    public IReadOnlyList<string> Faults { get; } = faults;
}
