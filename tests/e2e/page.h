/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a page must be in a browser, measured there: on a phone and on a wide screen, light and
 * dark. */
#ifndef BLACKSTART_TESTS_PAGE_H
#define BLACKSTART_TESTS_PAGE_H

#include "browser.h"

/* Words are read by their contrast with what lies behind them (WCAG 2: 4.5 to 1) and by their size;
 * no word ends outside of its drawing, and the page does not have to be moved sideways. */
static const char page_measure[] =
    "(function(){"
    "function rgb(c){var m=c.match(/[\\d.]+/g).map(Number);return m.length<4?m.concat(1):m;}"
    "function lum(c){var v=c.slice(0,3).map(function(x){x/=255;"
    "return x<=0.04045?x/12.92:Math.pow((x+0.055)/1.055,2.4);});"
    "return 0.2126*v[0]+0.7152*v[1]+0.0722*v[2];}"
    "function behind(e){for(;e;e=e.parentElement){"
    "var c=rgb(getComputedStyle(e).backgroundColor);if(c[3]===1)return c;}return[255,255,255,1];}"
    "function ratio(a,b){var x=lum(a),y=lum(b);return(Math.max(x,y)+0.05)/(Math.min(x,y)+0.05);}"
    "var w=document.createTreeWalker(document.body,NodeFilter.SHOW_TEXT),n,r={contrast:99,size:99,"
    "texts:0,outside:0,sideways:document.documentElement.scrollWidth-innerWidth,worst:'',small:'',"
    "out:''};"
    "while((n=w.nextNode())){var e=n.parentElement,s=getComputedStyle(e);"
    "if(!n.data.trim()||e.closest('script,style,title'))continue;"
    "var b=e.getBoundingClientRect();if(b.width===0)continue;r.texts++;"
    "var svg=e instanceof SVGElement,q=ratio(rgb(svg?s.fill:s.color),behind(e));"
    "if(q<r.contrast){r.contrast=q;r.worst=n.data.slice(0,60);}"
    "var f=parseFloat(s.fontSize);if(f<r.size){r.size=f;r.small=n.data.slice(0,60);}"
    "if(svg){var o=e.ownerSVGElement.getBoundingClientRect();"
    "if(b.left<o.left-1||b.right>o.right+1){r.outside++;r.out=n.data.slice(0,60);}}}"
    "r.cut=[].filter.call(document.querySelectorAll('svg .dot:not(.tiny)'),function(e){"
    "var b=e.getBoundingClientRect(),o=e.closest('svg.in').getBoundingClientRect(),"
    "w=parseFloat(getComputedStyle(e).strokeWidth)/2;"
    "return b.width===0&&(b.left-w<o.left-0.5||b.right+w>o.right+0.5);}).length;"
    "r.squeezed=[].filter.call(document.querySelectorAll('td,th'),function(e){"
    "return e.clientWidth!==0&&e.clientWidth<50&&e.textContent.length>14;}).length;"
    "r.h1=document.querySelectorAll('h1').length;"
    "r.charts=document.querySelectorAll('[role=img]').length;"
    "r.unnamed=document.querySelectorAll('[role=img]:not([aria-label]),table:not(:has(caption)),"
    "th:not([scope]),svg:not([aria-hidden]):not(svg svg)').length;"
    "return r;})()";

/* A cursor in the first chart, by the keyboard. */
static const char page_keys[] =
    "(function(){var p=document.querySelector('.plot[data-series]');if(!p)return'';"
    "p.focus();['Home','ArrowRight','ArrowRight'].forEach(function(k){"
    "p.dispatchEvent(new KeyboardEvent('keydown',{key:k,bubbles:true,cancelable:true}));});"
    "return document.activeElement===p?p.parentNode.querySelector('.readout').textContent:'';})()";

static inline void page_picture(struct browser *b, const char *name, int width, bool dark)
{
    enum { PIECE = 1800 };
    const char *dir = getenv("PAGE_PICTURES");
    json_t *tall = dir != NULL ? browser_value(b, "document.documentElement.scrollHeight") : NULL;
    for (int from = 0; from < (int)json_integer_value(tall) && from < 4 * PIECE; from += PIECE) {
        char path[PATH_MAX];
        int left = (int)json_integer_value(tall) - from;
        (void)snprintf(path, sizeof(path), "%s/%s-%d-%s-%d.b64", dir, name, width,
                       dark ? "dark" : "light", from / PIECE);
        browser_picture(b, path, width, from, left < PIECE ? left : PIECE);
    }
    json_decref(tall);
}

static inline void page_expect(const char *name, const char *what, bool good, const json_t *found)
{
    if (!good) {
        CLEANUP_FREE char *text = json_dumps(found, JSON_COMPACT | JSON_ENCODE_ANY);
        fprintf(stderr, "%s: %s: %s\n", name, what, text != NULL ? text : "");
    }
    CU_ASSERT_TRUE(good);
}

static inline void page_look(struct browser *b, const char *name, const char *path, int width,
                             bool dark)
{
    char of[120];
    (void)snprintf(of, sizeof(of), "%s, %d, %s", name, width, dark ? "dark" : "light");
    CU_ASSERT_TRUE_FATAL(browser_open(b, path, width, dark));
    json_t *r = browser_value(b, page_measure), *said = browser_value(b, page_keys);
    page_expect(of, "contrast", e2e_number(r, "contrast") >= 4.5, r);
    page_expect(of, "small words", e2e_number(r, "size") >= 12, r);
    page_expect(of, "words cut off", e2e_number(r, "outside") == 0, r);
    page_expect(of, "dots cut off", e2e_number(r, "cut") == 0, r);
    page_expect(of, "words squeezed", e2e_number(r, "squeezed") == 0, r);
    page_expect(of, "wider than the screen", e2e_number(r, "sideways") <= 0, r);
    page_expect(of, "one heading above all", e2e_number(r, "h1") == 1, r);
    page_expect(of, "words", e2e_number(r, "texts") > 50, r);
    page_expect(of, "without a name or scope", e2e_number(r, "unnamed") == 0, r);
    if (e2e_number(r, "charts") > 0)
        page_expect(of, "values by the keyboard",
                    json_is_string(said) && strstr(json_string_value(said), " good, ") != NULL,
                    said);
    page_picture(b, name, width, dark);
    if (b->complaints != 0 || b->requests != 0)
        fprintf(stderr, "%s: %u complaints, %u requests; first: %s\n", of, b->complaints,
                b->requests, b->first);
    CU_ASSERT_EQUAL(b->complaints, 0);
    CU_ASSERT_EQUAL(b->requests, 0);
    json_decref(r);
    json_decref(said);
}

#endif
