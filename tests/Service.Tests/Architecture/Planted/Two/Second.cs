using ConntrackStream.Service.Tests.Architecture.Planted.One;

namespace ConntrackStream.Service.Tests.Architecture.Planted.Two;

/// <summary>The other half.</summary>
internal sealed class Second
{
    internal First? Other { get; set; }
}
