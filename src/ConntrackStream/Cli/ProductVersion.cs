namespace ConntrackStream.Service.Cli;

/// <summary>The version of this program.</summary>
internal static class ProductVersion
{
    /// <summary>Such as <c>1.2.3</c>.</summary>
    internal static string Number { get; } = typeof(ProductVersion).Assembly.GetName().Version!.ToString(3);
}
