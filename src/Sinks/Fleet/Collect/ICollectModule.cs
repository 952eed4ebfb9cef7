namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>A plug-in's module from whose engine <c>collect</c> can read.</summary>
internal interface ICollectModule
{
    /// <param name="options">Of the module.</param>
    ICollectSource NewSource(object options, CollectOptions collect, TimeProvider time, ILogger logger);
}
