using ConntrackStream.Service.Tests.Architecture.Planted.Two;

namespace ConntrackStream.Service.Tests.Architecture.Planted.One;

/// <summary>Half of a cycle of two folders.</summary>
internal sealed class First
{
    internal Second? Other { get; set; }
}
