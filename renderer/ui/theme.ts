/** The look of Mantine's components; the colours themselves are in theme.css. */
import i18next from 'i18next';
import { createTheme, defaultVariantColorsResolver, type MantineColorsTuple, type VariantColorsResolver } from '@mantine/core';

/** Shade 4 is the accent of the dark look, shade 8 that of the light one. */
const teal: MantineColorsTuple = [
  '#e9f5f3',
  '#d3e9e6',
  '#a6d5cf',
  '#76c2b9',
  '#43b5a8',
  '#2a9d91',
  '#178a7f',
  '#0f7c72',
  '#0b6e66',
  '#085650',
];

/** Filled things have the ink that is made for their colour in each look. */
const resolveColors: VariantColorsResolver = (input) => {
  const usual = defaultVariantColorsResolver(input);
  if (input.variant !== 'filled') return usual;
  const color = input.color ?? input.theme.primaryColor;
  if (color === 'teal') return { ...usual, background: 'var(--accent)', hover: 'var(--accent-hover)', color: 'var(--accent-ink)' };
  if (color === 'red') return { ...usual, background: 'var(--bad)', hover: 'var(--bad)', color: 'var(--bad-ink)' };
  return usual;
};

export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: { light: 8, dark: 4 },
  variantColorResolver: resolveColors,
  colors: { teal },
  black: '#17201f',
  fontFamily: "system-ui, 'Segoe UI', 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif",
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '15px', xl: '20px' },
  lineHeights: { xs: '1.5', sm: '1.5', md: '1.5', lg: '1.4', xl: '1.3' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '12px', xl: '16px' },
  defaultRadius: 'md',
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '20px', lineHeight: '1.3' },
      h2: { fontSize: '15px', lineHeight: '1.4' },
      h3: { fontSize: '13px', lineHeight: '1.5' },
    },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Modal: { defaultProps: { centered: true, transitionProps: { duration: 140 }, overlayProps: { backgroundOpacity: 0.4 } } },
    Tooltip: { defaultProps: { openDelay: 350, multiline: true, maw: 320, events: { hover: true, focus: true, touch: true } } },
    Popover: { defaultProps: { transitionProps: { duration: 140 } } },
    Menu: { defaultProps: { transitionProps: { duration: 140 } } },
    Progress: { defaultProps: { size: 6, radius: 'xl' } },
    // The library knows English only; asked for at each drawing, since the language may change.
    PasswordInput: { defaultProps: () => ({ visibilityToggleButtonProps: { 'aria-label': i18next.t('ui.showPassword') } }) },
    Loader: { defaultProps: { type: 'dots', size: 'sm' } },
  },
});
